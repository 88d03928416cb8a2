import { type ConnectFailure, UpstreamBroken } from './broken.ts';

/** Errors of undici that say, before a head has come: what came is no HTTP that we take. After it they say that the end is missing. */
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

/** What an error of undici's means, by how far the exchange was. Only the error's code is told: messages may hold addresses or what was sent. */
export function brokenBy(error: Error, phase: 'connecting' | 'sent' | 'answered'): UpstreamBroken {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (phase === 'connecting') {
    return new UpstreamBroken(connectFailureOf(code), `No connection (${code}).`, false, code);
  }
  // A server that wants a certificate of ours says so after the handshake.
  if (phase === 'sent' && code.startsWith('ERR_SSL_')) {
    return new UpstreamBroken('tls', `The connection broke (${code}).`, false, code);
  }
  return phase === 'sent' && NO_HTTP.test(code)
    ? new UpstreamBroken('unreadable', `The answer is not HTTP (${code}).`, false, code)
    : new UpstreamBroken('reset', `The connection broke (${code}).`, false, code);
}

function connectFailureOf(code: string): ConnectFailure | 'reset' {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return CONNECT_FAILURES.find(([pattern]) => pattern.test(code))?.[1] ?? 'connect';
}
