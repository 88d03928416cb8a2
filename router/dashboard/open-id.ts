import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as client from 'openid-client';
import { EnvHttpProxyAgent, fetch as fetchThrough } from 'undici';
import type { Role } from '../access/index.ts';
import type { OidcConfig } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';

/** Where a sign-in begins, and where the provider leads back to, below /dashboard. */
export const OPEN_ID_PATH = 'oidc';

/** From leaving for the provider until coming back, in ms. */
export const OPEN_ID_MS = 600_000;

/** A provider's documents and tokens take some kB. */
const LONGEST_REPLY = 1_000_000;
/** After it the provider is asked anew what it supports, in ms. */
const KEPT_MS = 3_600_000;
const PROVIDER_S = 10;

/** Who came back from the provider. */
export interface Person {
  /** An e-mail address that the provider vouches for, or else its name for the account. */
  readonly name: string;
  readonly role: Role;
}

/** What a browser takes along to the provider, and back. */
interface UnderWay {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly endsMs: number;
}

/**
 * Signs people in with OpenID Connect: the code flow with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636). What a
 * browser began is in its cookie, signed, so that no number of beginnings takes memory; it ends once.
 */
export class OpenIdSignIn {
  readonly #options: OidcConfig;
  readonly #env: NodeJS.ProcessEnv;
  readonly #secret = randomBytes(32);
  /** State of a sign-in that ended -> when it could not end any more anyway. */
  readonly #ended = new Map<string, number>();
  #provider: { readonly config: Promise<client.Configuration>; readonly untilMs: number } | undefined;

  constructor(options: OidcConfig, env: NodeJS.ProcessEnv = process.env) {
    this.#options = options;
    this.#env = env;
  }

  /**
   * @returns the address of the provider to lead the browser to, and the value of the cookie that it must come back with
   * @throws PlimsollError `invalid-config` if the variable with the secret is empty; `io` if the provider cannot be asked
   */
  async begin(nowMs: number): Promise<{ readonly address: string; readonly cookie: string }> {
    const config = await this.#discovered(nowMs);
    const begun: UnderWay = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
      endsMs: nowMs + OPEN_ID_MS,
    };
    const address = client.buildAuthorizationUrl(config, {
      redirect_uri: `${this.#ownUrl()}/callback`,
      scope: this.#options.scopes.join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
      state: begun.state,
      nonce: begun.nonce,
    });
    return { address: address.href, cookie: this.#sealed(begun) };
  }

  /**
   * @param search of the address that the provider led back to, with `?`
   * @throws PlimsollError `forbidden` if this browser did not begin, the provider refuses, or the account has no role here
   */
  async end(cookie: string | undefined, search: string, nowMs: number): Promise<Person> {
    const begun = this.#opened(cookie);
    if (begun === undefined || nowMs >= begun.endsMs || this.#ended.has(begun.state)) throw notBegun();
    const config = await this.#discovered(nowMs);
    const claims = await this.#claimsOf(config, new URL(`${this.#ownUrl()}/callback${search}`), begun);
    if (this.#ended.has(begun.state)) throw notBegun();
    for (const [state, overMs] of this.#ended) if (overMs <= nowMs) this.#ended.delete(state);
    this.#ended.set(begun.state, begun.endsMs);
    const role = this.#roleOf(claims);
    const name = nameOf(claims);
    if (role === undefined)
      throw new PlimsollError(
        'forbidden',
        `${name} may not open this page: the claim ${this.#options.claim} has no value that oidc.roles names.`,
      );
    return { name, role };
  }

  async #claimsOf(config: client.Configuration, address: URL, begun: UnderWay): Promise<Claims> {
    try {
      const tokens = await client.authorizationCodeGrant(config, address, {
        pkceCodeVerifier: begun.verifier,
        expectedState: begun.state,
        expectedNonce: begun.nonce,
        idTokenExpected: true,
      });
      const claims: Claims = tokens.claims()!;
      const isComplete = this.#options.claim in claims && 'email' in claims;
      if (isComplete || !config.serverMetadata().userinfo_endpoint) return claims;
      return {
        ...(await client.fetchUserInfo(config, tokens.access_token, String(claims['sub']))),
        ...claims,
      };
    } catch (cause) {
      throw refusalOf(cause);
    }
  }

  #roleOf(claims: Claims): Role | undefined {
    const { claim, roles } = this.#options;
    const given = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    const values = new Set(Array.isArray(given) ? given : [given]);
    return (['admin', 'operate', 'view'] as const).find((role) =>
      roles[role].some((value) => values.has(value)),
    );
  }

  /** The parts have no dots: they are in base64url. */
  #sealed({ verifier, state, nonce, endsMs }: UnderWay): string {
    const content = [verifier, state, nonce, endsMs].join('.');
    return `${content}.${this.#macOf(content)}`;
  }

  #opened(cookie = ''): UnderWay | undefined {
    const at = cookie.lastIndexOf('.');
    const content = cookie.slice(0, Math.max(at, 0));
    const [given, right] = [Buffer.from(cookie.slice(at + 1)), Buffer.from(this.#macOf(content))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const [verifier = '', state = '', nonce = '', endsMs] = content.split('.');
    return { verifier, state, nonce, endsMs: Number(endsMs) };
  }

  #macOf(content: string): string {
    return createHmac('sha256', this.#secret).update(content).digest('base64url');
  }

  #ownUrl(): string {
    return `${new URL(this.#options.url).origin}/dashboard/${OPEN_ID_PATH}`;
  }

  #discovered(nowMs: number): Promise<client.Configuration> {
    if (this.#provider !== undefined && nowMs < this.#provider.untilMs) return this.#provider.config;
    const config = this.#discover();
    this.#provider = { config, untilMs: nowMs + KEPT_MS };
    config.catch(() => {
      this.#provider = undefined;
    });
    return config;
  }

  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecretEnv } = this.#options;
    const secret = clientSecretEnv === undefined ? undefined : this.#env[clientSecretEnv];
    if (clientSecretEnv !== undefined && !secret)
      throw new PlimsollError(
        'invalid-config',
        `oidc.client_secret_env: the environment variable ${clientSecretEnv} is empty. Nobody can sign in with ${issuer} until it is set.`,
        { place: { field: 'oidc.client_secret_env' } },
      );
    const authentication = secret === undefined ? client.None() : client.ClientSecretPost(secret);
    try {
      const config = await client.discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: PROVIDER_S,
        [client.customFetch]: boundedFetch(),
        // signatures are checked although TLS vouches for the provider, which it does not on this machine
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
        ],
      });
      const { authorization_endpoint, token_endpoint } = config.serverMetadata();
      if (![authorization_endpoint, token_endpoint].every((address) => isAddress(address, issuer)))
        throw Object.assign(new Error('no addresses'), { code: 'INVALID_ENDPOINTS' });
      return config;
    } catch (cause) {
      throw new PlimsollError(
        'io',
        `${issuer} cannot be asked for its OpenID configuration (${reasonOf(cause)}). Check oidc.issuer, and that this server reaches it.`,
        { place: { field: 'oidc.issuer' }, cause },
      );
    }
  }
}

type Claims = Readonly<Record<string, unknown>>;

function notBegun(): PlimsollError {
  return new PlimsollError(
    'forbidden',
    'This sign-in was not begun by this browser, or is over. Begin again.',
  );
}

function isAddress(value: unknown, issuer: string): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'));
}

/** Through the proxy that the environment names, and no more of a reply than any provider sends. */
function boundedFetch(): client.CustomFetch {
  const dispatcher = new EnvHttpProxyAgent();
  return async (address, options) => {
    const response = await fetchThrough(address, { ...options, dispatcher } as never);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of response.body ?? []) {
      length += piece.length;
      if (length > LONGEST_REPLY) throw Object.assign(new Error('too long'), { code: 'TOO_LONG' });
      pieces.push(piece);
    }
    const headers = Array.from(response.headers);
    const { status, statusText } = response;
    const mayHaveBody = status !== 204 && status !== 205 && status !== 304;
    return new Response(mayHaveBody ? Buffer.concat(pieces) : null, { status, statusText, headers });
  };
}

const EMAIL = /^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,189}$/u;
/** Core 1.0, section 2: at most 255 characters of ASCII. */
const SUBJECT = /^[\x21-\x7e][\x20-\x7e]{0,254}$/;

/** An address counts only if the provider says that it is the account's. */
function nameOf({ email, email_verified: isVerified, sub }: Claims): string {
  if (typeof email === 'string' && EMAIL.test(email) && String(isVerified) === 'true') return email;
  if (typeof sub === 'string' && SUBJECT.test(sub)) return `account ${sub}`;
  throw new PlimsollError('forbidden', 'The provider gives this account no name that can be shown.');
}

/** Without what the provider wrote, but its code: it may hold anything. */
function refusalOf(cause: unknown): PlimsollError {
  return new PlimsollError(
    'forbidden',
    `The sign-in was refused (${reasonOf(cause)}). Begin again; if that does not help, the logs of this server and of the provider say more.`,
    { cause },
  );
}

const CODE = /^[\w.-]{1,60}$/;

/** A code of OAuth such as access_denied, or the innermost one of the network and the library. */
function reasonOf(cause: unknown): string {
  let reason = 'no reason given';
  for (let at = cause, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { error, code, cause: deeper } = at as { error?: unknown; code?: unknown; cause?: unknown };
    if (isCode(error)) return error;
    if (isCode(code)) reason = code;
    at = deeper;
  }
  return reason;
}

function isCode(value: unknown): value is string {
  return typeof value === 'string' && CODE.test(value);
}
