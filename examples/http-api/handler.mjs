/** Knows nothing of tracing: the image traces it. */
export const handler = async (event) => {
  const { cartId } = event.pathParameters ?? {};
  if (cartId === undefined) return { statusCode: 404 };
  return {
    statusCode: 201,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ cartId, items: 1 }),
  };
};
