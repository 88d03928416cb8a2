type Incoming = Readonly<Record<string, string | string[] | undefined>>;

/** RFC 9110, section 7.6.1: of one connection, and not of the answer. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Meant for us and not for our client: cookies, policies and software of the provider's site, and whose account it is. */
const OURS = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'expect-ct',
  'content-location',
  'location',
  'refresh',
  'link',
  'sourcemap',
  'service-worker-allowed',
  'origin-agent-cluster',
  'timing-allow-origin',
  'permissions-policy',
  'feature-policy',
  'document-policy',
  'referrer-policy',
  'x-frame-options',
  'x-xss-protection',
  'x-permitted-cross-domain-policies',
  'www-authenticate',
  'nel',
  'report-to',
  'reporting-endpoints',
  'server',
  'server-timing',
  'via',
  'x-powered-by',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
];
const WITHHELD: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS]);
/** What a browser may do is for this server to say (CORS, and what belongs to it). */
const WITHHELD_FAMILIES = /^(?:access-control-|cross-origin-|content-security-policy|sec-)/;

/**
 * The headers of a provider's answer that a client may see, lower case, several of a name joined by a comma. `decoded`: the
 * compression was undone here, so its name and length no longer hold. A header that repeats the key is left out.
 */
export function answerHeaders(
  incoming: Incoming,
  decoded: boolean,
  key: string | undefined,
): Record<string, string> {
  const named = namesIn(incoming['connection']);
  const kept: Record<string, string> = {};
  for (const name in incoming) {
    if (WITHHELD.has(name) || WITHHELD_FAMILIES.test(name) || named.includes(name)) continue;
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    const text = one(incoming[name]);
    if (text !== undefined && (key === undefined || !text.includes(key))) kept[name] = text;
  }
  return kept;
}

/** The headers that belong to the connection because it says so. */
function namesIn(connection: string | string[] | undefined): readonly string[] {
  const text = one(connection) ?? 'keep-alive';
  return text === 'keep-alive'
    ? []
    : text
        .toLowerCase()
        .split(',')
        .map((name) => name.trim());
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
