/** Answers a request at once, and works through a delivery record by record. */
export const clients = [];

export const work = async (record) => JSON.parse(record.body).id;

export const handle = async (event) => {
  if (event.Records === undefined) return { statusCode: 200, body: "ok" };
  for (const record of event.Records) await work(record);
  return { batchItemFailures: [] };
};
