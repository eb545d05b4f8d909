/** Ends of itself when told to: only then does Node write its CPU profile. */
export const clients = [];

export const handle = async (event) => {
  if (event.isLast === true) process.exit(0);
  return { statusCode: 200, body: "ok" };
};
