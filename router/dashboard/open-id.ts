import { randomBytes } from 'node:crypto';
import * as client from 'openid-client';
import { EnvHttpProxyAgent, fetch as fetchThrough } from 'undici';
import type { Role } from '../access/index.ts';
import type { OidcConfig } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';

/** Where a sign-in begins, and where the provider leads back to, below /dashboard. */
export const OPEN_ID_PATH = 'oidc';

/** From leaving for the provider until coming back, in ms. */
export const OPEN_ID_MS = 600_000;

/** The oldest go beyond it. */
const MAX_UNDER_WAY = 1_000;
/** After it the provider is asked anew what it supports, in ms. */
const KEPT_MS = 3_600_000;
const PROVIDER_S = 10;

/** Who came back from the provider. */
export interface Person {
  /** An e-mail address that the provider vouches for, or else its name for the account. */
  readonly name: string;
  readonly role: Role;
}

interface UnderWay {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly endsMs: number;
}

/**
 * Signs people in with OpenID Connect: the code flow with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636). What a
 * browser began is kept in memory under a value that only its cookie has, and works once.
 */
export class OpenIdSignIn {
  readonly #options: OidcConfig;
  readonly #env: NodeJS.ProcessEnv;
  /** Value of the cookie -> what was begun. */
  readonly #underWay = new Map<string, UnderWay>();
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
    const cookie = randomBytes(32).toString('base64url');
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const address = client.buildAuthorizationUrl(config, {
      redirect_uri: `${this.#ownUrl()}/callback`,
      scope: this.#options.scopes.join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    this.#underWay.set(cookie, { verifier, state, nonce, endsMs: nowMs + OPEN_ID_MS });
    for (const oldest of this.#underWay.keys()) {
      if (this.#underWay.size <= MAX_UNDER_WAY) break;
      this.#underWay.delete(oldest);
    }
    return { address: address.href, cookie };
  }

  /**
   * @param search of the address that the provider led back to, with `?`
   * @throws PlimsollError `forbidden` if this browser did not begin, the provider refuses, or the account has no role here
   */
  async end(cookie: string | undefined, search: string, nowMs: number): Promise<Person> {
    const begun = cookie === undefined ? undefined : this.#underWay.get(cookie);
    if (cookie !== undefined) this.#underWay.delete(cookie);
    if (begun === undefined || nowMs >= begun.endsMs)
      throw new PlimsollError(
        'forbidden',
        'This sign-in was not begun by this browser, or is over. Begin again.',
      );
    const config = await this.#discovered(nowMs);
    const claims = await this.#claimsOf(config, new URL(`${this.#ownUrl()}/callback${search}`), begun);
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
      const isComplete = this.#options.claim in claims || !config.serverMetadata().userinfo_endpoint;
      if (isComplete) return claims;
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

  #ownUrl(): string {
    return `${this.#options.url.replace(/\/$/, '')}/dashboard/${OPEN_ID_PATH}`;
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
    const proxied = new EnvHttpProxyAgent();
    const authentication = secret === undefined ? client.None() : client.ClientSecretPost(secret);
    try {
      return await client.discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: PROVIDER_S,
        [client.customFetch]: (address, options) =>
          fetchThrough(address, { ...options, dispatcher: proxied } as never) as never,
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
      });
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

/** An address counts only if the provider says that it is the account's. */
function nameOf(claims: Claims): string {
  const { email, email_verified: isVerified, sub } = claims;
  return typeof email === 'string' && isVerified === true ? email.slice(0, 200) : String(sub).slice(0, 200);
}

/** Without what the provider wrote, but its code: it may hold anything. */
function refusalOf(cause: unknown): PlimsollError {
  return new PlimsollError(
    'forbidden',
    `The sign-in was refused (${reasonOf(cause)}). Begin again; if that does not help, the log of the provider says more.`,
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
