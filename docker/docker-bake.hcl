# docker buildx bake --file docker/docker-bake.hcl [--push]

variable "VERSION" {
  default = "0.1.0"
}

variable "REGISTRY" {
  default = "coldspan"
}

group "default" {
  targets = ["nodejs", "files"]
}

target "image" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  args       = { VERSION = VERSION }
}

# Lambda takes images of one architecture: deploy by the digest of the one the function runs on.
target "nodejs" {
  inherits  = ["image"]
  name      = "nodejs-${major}"
  matrix    = { major = ["22", "24"] }
  target    = "nodejs"
  platforms = ["linux/amd64", "linux/arm64"]
  args      = { BASE_IMAGE = "public.ecr.aws/lambda/nodejs:${major}" }
  tags      = ["${REGISTRY}/nodejs:${major}", "${REGISTRY}/nodejs:${major}-${VERSION}"]
}

target "files" {
  inherits  = ["image"]
  target    = "files"
  platforms = ["linux/amd64", "linux/arm64"]
  tags      = ["${REGISTRY}/files:${VERSION}", "${REGISTRY}/files:latest"]
}
