/** What is to be made of gateways that answer in place of the server behind them. */

/**
 * True for 502 and 504 (RFC 9110 §15.6): the server behind the gateway gave no answer that could be used,
 * yet it may have taken the request.
 */
export function isGatewayFailure(httpStatus: number): boolean {
  return httpStatus === 502 || httpStatus === 504;
}
