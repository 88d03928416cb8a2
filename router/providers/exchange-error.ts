/** Why no connection was made. */
export type ConnectFailure =
  | 'connect'
  | 'connect-refused'
  | 'connect-timeout'
  | 'dns'
  | 'tls-untrusted'
  | 'tls-host-name'
  | 'tls-expired'
  | 'tls';

/** How an exchange with a provider fails. A body that is being read throws the last four only. */
export type ExchangeFailure =
  | ConnectFailure
  | 'first-byte' // sent, and nothing came in time
  | 'stall' // silence between two chunks
  | 'too-long' // the whole took longer than an attempt may
  | 'reset' // the connection broke, or ended before the answer did
  | 'unreadable'; // not HTTP, or a compression that cannot be undone

/**
 * An exchange failed. If a reply's body throws it, what came before has been passed on as it came, half an event included, so no other
 * reply may follow. `message` holds no byte of the reply and no key.
 */
export class ExchangeError extends Error {
  readonly reason: ExchangeFailure;
  /** The bytes that were passed on hold the provider's own error, which the client's library throws: nothing need be added. */
  readonly reportedToClient: boolean;
  /** The system's error code, such as `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(reason: ExchangeFailure, message: string, reportedToClient = false, code?: string) {
    super(message);
    this.code = code;
    this.name = 'ExchangeError';
    this.reason = reason;
    this.reportedToClient = reportedToClient;
  }
}

/** undici's errors for a response that is not HTTP, if no head has come. After the head they mean that the end is missing. */
const NO_HTTP = /^(HPE_|HTTPParserError|UND_ERR_HEADERS_OVERFLOW)/;
/** OpenSSL's verification errors as node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes), without those below. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_(UNTRUSTED|REJECTED|REVOKED|SIGNATURE_FAILURE|CHAIN_TOO_LONG)|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|CRL_)/;
const CONNECT_FAILURES: readonly (readonly [RegExp, ConnectFailure])[] = [
  [/^ECONNREFUSED$/, 'connect-refused'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'connect-timeout'],
  [/^(ENOTFOUND|EAI_)/, 'dns'],
  [UNTRUSTED, 'tls-untrusted'],
  [/^(ERR_TLS_CERT_ALTNAME_|HOSTNAME_MISMATCH$)/, 'tls-host-name'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'tls-expired'],
  [/^(EPROTO$|ERR_SSL_|ERR_TLS_|ERROR_IN_CERT_|CERT_)/, 'tls'],
];

/** What an error of undici's means in each phase of the exchange. Only its code is kept: messages may hold addresses or what was sent. */
export function exchangeErrorFrom(error: Error, phase: 'connecting' | 'sent' | 'answered'): ExchangeError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (phase === 'connecting') {
    return new ExchangeError(connectFailure(code), `No connection (${code}).`, false, code);
  }
  // A server that wants a certificate of ours says so after the handshake.
  if (phase === 'sent' && code.startsWith('ERR_SSL_')) {
    return new ExchangeError('tls', `The connection broke (${code}).`, false, code);
  }
  return phase === 'sent' && NO_HTTP.test(code)
    ? new ExchangeError('unreadable', `The answer is not HTTP (${code}).`, false, code)
    : new ExchangeError('reset', `The connection broke (${code}).`, false, code);
}

function connectFailure(code: string): ConnectFailure | 'reset' {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return CONNECT_FAILURES.find(([pattern]) => pattern.test(code))?.[1] ?? 'connect';
}
