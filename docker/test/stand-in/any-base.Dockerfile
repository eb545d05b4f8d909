# An image that is not AWS's: the user's own Node and runtime client.
ARG ROOT_IMAGE
FROM ${ROOT_IMAGE}
COPY files/ /
ENV LAMBDA_TASK_ROOT=/function
WORKDIR /function
