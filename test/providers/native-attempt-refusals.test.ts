import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classifyRefusal, retryAfterMs } from '../../router/exchange/provider-error.ts';
import { isOperatorFault } from '../../router/fallback/failure-rules.ts';

const JSON_TYPE = 'application/json';

// Error bodies as the providers' references and issue trackers show them.
test.each([
  [
    400,
    {
      error: {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    },
    'context-window',
  ],
  [
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
    },
    'context-window',
  ],
  [
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'input length and `max_tokens` exceed context limit: 197202 + 21333 > 200000',
      },
    },
    'context-window',
  ],
  [
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens.",
      type: 'BadRequestError',
      code: 400,
    },
    'context-window',
  ],
  [
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size, try increasing it',
        type: 'exceed_context_size_error',
      },
    },
    'context-window',
  ],
  [
    400,
    {
      error: {
        message:
          "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code: 'content_filter',
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
    'content-filter',
  ],
  [
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
    },
    'content-filter',
  ],
  [
    403,
    {
      error: {
        code: 403,
        message: 'Your chosen model requires moderation and your input was flagged for "violence"',
      },
    },
    'content-filter',
  ],
  [400, { error: { code: 'model_not_found', message: 'no such model' } }, 'model-missing'],
  [
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'Your credit balance is too low to access the Anthropic API.',
      },
    },
    'quota-exhausted',
  ],
  [
    400,
    {
      error: {
        message: "Unknown parameter: 'foo'.",
        type: 'invalid_request_error',
        param: 'foo',
        code: 'unknown_parameter',
      },
    },
    'bad-request',
  ],
  [
    400,
    {
      error: {
        message: 'max_tokens is too large: 99999. This model supports at most 16384 completion tokens',
        code: 'invalid_value',
      },
    },
    'bad-request',
  ],
  [402, { error: { message: 'Insufficient credits' } }, 'quota-exhausted'],
  [
    413,
    { type: 'error', error: { type: 'request_too_large', message: 'Request exceeds the maximum size' } },
    'bad-request',
  ],
  [422, { detail: 'nonsense' }, 'bad-request'],
  [504, {}, 'server-error'],
] as const)('%i %j is %s', (status, body, failure) => {
  expect(classifyRefusal(status, JSON_TYPE, JSON.stringify(body))).toBe(failure);
});

test('a prompt that is quoted beside the reason does not decide', () => {
  const body = { error: { message: 'no', code: null }, input: 'what does context_length_exceeded mean?' };
  expect(classifyRefusal(400, JSON_TYPE, JSON.stringify(body))).toBe('bad-request');
});

test('HTML with a 4xx comes from something on the way', () => {
  expect(classifyRefusal(400, 'text/html; charset=utf-8', '<html>prompt is too long</html>')).toBe(
    'bad-answer',
  );
  expect(classifyRefusal(302, undefined, '')).toBe('bad-answer');
});

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

test.each([
  [{}, undefined],
  [{ 'retry-after': '20' }, 20_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '1.5' }, 1500],
  [{ 'retry-after': 'Thu, 01 Jan 2026 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Thu, 01 Jan 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
  [{ 'retry-after': 'soon', 'x-ratelimit-reset': '3' }, 3000],
  [{ 'x-ratelimit-reset': '1m30.5s' }, 90_500],
  [{ 'x-ratelimit-reset': '20ms' }, 20],
  [{ 'x-ratelimit-reset': String(NOW / 1000 + 7) }, 7000],
  [{ 'x-ratelimit-reset': String(NOW + 70) }, 70],
  [{ 'x-ratelimit-reset': '' }, undefined],
] as const)('%j asks to wait %s ms', (headers, ms) => {
  expect(retryAfterMs(headers, NOW)).toBe(ms);
});

const ANTHROPIC = (type: string, message: string) => ({ type: 'error', error: { type, message } });
const GOOGLE_403 = (message: string, reason: string) => ({
  error: {
    code: 403,
    message,
    status: 'PERMISSION_DENIED',
    details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason }],
  },
});

// In this order: Groq (three times), OpenAI, Google, Amazon (four times).
test.each<[number, object, string]>([
  [
    400,
    {
      error: {
        message:
          'Organization has been restricted. Please reach out to support if you believe this was in error.',
        type: 'invalid_request_error',
        code: 'organization_restricted',
      },
    },
    'auth',
  ],
  [400, { error: { message: 'It requires terms acceptance.', code: 'model_terms_required' } }, 'auth'],
  [400, { error: { message: 'No more.', code: 'model_decommissioned' } }, 'model-missing'],
  [
    400,
    {
      error: {
        message:
          'Your organization must be verified to stream this model. Please go to: https://example.com.',
        type: 'invalid_request_error',
        param: 'stream',
        code: 'unsupported_value',
      },
    },
    'auth',
  ],
  [
    400,
    {
      error: {
        code: 400,
        message: 'User location is not supported for the API use.',
        status: 'FAILED_PRECONDITION',
      },
    },
    'auth',
  ],
  [400, { message: 'Operation not allowed' }, 'auth'],
  [400, { message: 'Your account is not authorized to invoke this API operation.' }, 'auth'],
  [400, { message: 'The provided model identifier is invalid.' }, 'model-missing'],
  [
    400,
    {
      message:
        "Invocation of model ID anthropic.claude-3-7-sonnet-20250219-v1:0 with on-demand throughput isn't supported.",
    },
    'model-missing',
  ],
])("%i %j is the operator's fault: %s", (status, body, failure) => {
  expect(classifyRefusal(status, JSON_TYPE, JSON.stringify(body))).toBe(failure);
});

test('words about an account that a message quotes are no fault of the operator', () => {
  const message = "Invalid 'messages[0].content': Organization has been restricted. Operation not allowed";
  expect(classifyRefusal(400, JSON_TYPE, JSON.stringify({ error: { message } }))).toBe('bad-request');
});

// Wordings as reports against official clients and the providers' references show them.
test.each([
  [
    400,
    ANTHROPIC(
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ),
  ],
  [402, ANTHROPIC('billing_error', 'There is an issue with your billing.')],
  [
    400,
    ANTHROPIC(
      'invalid_request_error',
      'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01.',
    ),
  ],
  [400, ANTHROPIC('invalid_request_error', 'This organization has been disabled.')],
  [412, { error: 'Account is suspended, possibly due to reaching the monthly spending limit' }],
  [
    400,
    {
      error: {
        code: 400,
        message:
          'User location / Gemini API free tier is not available in your country. Please enable billing on your project.',
        status: 'FAILED_PRECONDITION',
      },
    },
  ],
  [
    429,
    {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
  ],
  [400, { error: { message: 'Billing hard limit has been reached', code: 'billing_hard_limit_reached' } }],
  [
    429,
    {
      error: {
        message: 'Your account is not active, please check your billing details.',
        code: 'billing_not_active',
      },
    },
  ],
  [402, { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } }],
  [
    402,
    {
      error: {
        message:
          'This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 3395.',
        code: 402,
      },
    },
  ],
  [429, { error: { message: 'Your account is suspended', type: 'exceeded_current_quota_error' } }],
  [
    400,
    {
      error: {
        message: 'Access denied, please make sure your account is in good standing.',
        code: 'Arrearage',
      },
    },
  ],
  [
    429,
    {
      code: 'Some resource has been exhausted',
      error: 'Your team 1f has either used all available credits or reached its monthly spending limit.',
    },
  ],
  [401, { error: { message: 'No money.', type: 'insufficient_quota', code: 401 } }],
  [429, { message: 'Too many tokens per day, please wait before trying again.' }],
  [
    429,
    {
      error: {
        code: 429,
        message: 'You exceeded your current quota, please check your plan and billing details.',
        status: 'RESOURCE_EXHAUSTED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
            violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
          },
        ],
      },
    },
  ],
  ...[
    GOOGLE_403(
      'This API method requires billing to be enabled. Please enable billing on project #1.',
      'BILLING_DISABLED',
    ),
    GOOGLE_403('The caller does not have permission', 'BILLING_DISABLED'),
    {
      error: {
        message: 'Billing account is past due.',
        type: 'invalid_request_error',
        code: 'billing_not_active',
      },
    },
    {
      error: { message: 'Your organization has unpaid invoices.', type: 'invalid_request_error', code: null },
    },
    ANTHROPIC('permission_error', "There's an issue with your billing or payment information."),
    ANTHROPIC('billing_error', 'Your account may not be used.'),
    { message: 'Inactive subscription or usage limit reached', request_id: 'x' },
    { detail: 'Please check your payment method.' },
    {
      error: { code: '403', message: 'Out of call volume quota. Quota will be replenished in 12.03:02:01.' },
    },
    {
      error: {
        message: 'Key limit exceeded (daily limit). Manage it using https://openrouter.ai/settings/keys',
        code: 403,
      },
    },
    {
      error: {
        message: 'API access was blocked at the spend limit.',
        type: 'invalid_request_error',
        code: 'blocked_api_access',
      },
    },
    { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } },
    {
      code: 'The caller does not have permission',
      error: "Your newly created team doesn't have any credits yet.",
    },
    { code: 30001, message: 'Sorry, your account balance is insufficient', data: null },
    {
      error: { code: 'AccountOverdueError', message: 'The request failed because your account is overdue.' },
    },
    { code: 'AllocationQuota.FreeTierOnly', message: 'The free tier of the model has been exhausted.' },
    {
      message:
        'Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.',
    },
    {
      error: {
        message: 'AI Gateway requires a valid credit card on file.',
        type: 'customer_verification_required',
      },
    },
    { error: { message: '用户额度不足', type: 'new_api_error' } },
  ].map((body): [number, object] => [403, body]),
  [409, { error: { code: 'ReadOnlyDisabledSubscription', message: 'The subscription is disabled.' } }],
])('%i %j: the budget of the operator is used up', (status, body) => {
  expect(classifyRefusal(status, JSON_TYPE, JSON.stringify(body))).toBe('quota-exhausted');
});

test.each([
  [
    429,
    { error: { message: 'Rate limit reached for requests', type: 'requests', code: 'rate_limit_exceeded' } },
    'rate-limited',
  ],
  [
    429,
    {
      error: {
        code: 429,
        message: 'You exceeded your current quota, please check your plan and billing details.',
        status: 'RESOURCE_EXHAUSTED',
        details: [{ violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] }],
      },
    },
    'rate-limited',
  ],
  [
    429,
    {
      error: {
        message: 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 150000.',
        code: 'rate_limit_exceeded',
      },
    },
    'context-window',
  ],
  [
    429,
    ANTHROPIC('rate_limit_error', 'Extra usage is required for long context requests.'),
    'context-window',
  ],
  [404, ANTHROPIC('not_found_error', 'model: claude-x'), 'model-missing'],
  [404, ANTHROPIC('not_found_error', 'File not found: file_011'), 'bad-request'],
  [404, ANTHROPIC('not_found_error', 'Container container_1 not found'), 'bad-request'],
  [
    404,
    { error: { message: 'No such File object: file-abc', type: 'invalid_request_error', code: null } },
    'bad-request',
  ],
  [
    404,
    {
      error: {
        message: "Previous response with id 'resp_1' not found.",
        code: 'previous_response_not_found',
      },
    },
    'bad-request',
  ],
  [
    404,
    { error: { message: 'The model `gpt-image-9` does not exist', code: 'model_not_found' } },
    'model-missing',
  ],
  [
    404,
    { error: { message: 'model "x" not found, try pulling it first', type: 'api_error' } },
    'model-missing',
  ],
  [
    404,
    {
      error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
    },
    'model-missing',
  ],
  [404, { detail: 'Not Found' }, 'model-missing'],
  [403, GOOGLE_403('Generative Language API has not been used in project 1.', 'SERVICE_DISABLED'), 'auth'],
  [403, GOOGLE_403('Requests from referer <empty> are blocked.', 'API_KEY_HTTP_REFERRER_BLOCKED'), 'auth'],
  [
    403,
    { error: { message: 'Country, region, or territory not supported', code: 'unsupported_country' } },
    'auth',
  ],
  [403, { error: { message: 'Project `p` does not have access to model `m`', code: null } }, 'auth'],
  [403, ANTHROPIC('permission_error', 'Your API key does not have permission to use this resource.'), 'auth'],
  [403, { error: { code: 'AuthorizationFailed', message: 'The credentials do not allow this.' } }, 'auth'],
  [
    403,
    {
      error: {
        message: 'Your input was flagged',
        code: 403,
        metadata: { flagged_input: 'my credit balance' },
      },
    },
    'content-filter',
  ],
  [
    403,
    { error: { message: 'Your request was flagged by moderation', code: 403, metadata: { reasons: ['x'] } } },
    'content-filter',
  ],
])('%i %j is %s', (status, body, failure) => {
  expect(classifyRefusal(status, JSON_TYPE, JSON.stringify(body))).toBe(failure);
});

test('what a message quotes of the request blames no operator', () => {
  const words = fc.constantFrom(
    'insufficient_quota',
    'model_not_found',
    'Your credit balance is too low',
    'You have reached your specified API usage limits',
    'Insufficient Balance',
    'billing_error',
    'invalid_api_key',
    '"quotaId":"PerDay"',
  );
  fc.assert(
    fc.property(fc.constantFrom(400, 413, 422), words, fc.boolean(), (status, quoted, inType) => {
      const error = {
        message: `Invalid value: '${quoted}'. Supported values are: 'user' and 'assistant'.`,
        type: 'invalid_request_error',
        param: inType ? quoted : 'messages[0].role',
        code: 'invalid_value',
      };
      const failure = classifyRefusal(status, JSON_TYPE, JSON.stringify({ error }));
      expect([failure, isOperatorFault(failure)]).toEqual(['bad-request', false]);
    }),
  );
});
