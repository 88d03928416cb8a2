import { z } from 'zod';
import { THOUGHT_SIGNATURE } from '../google.ts';
import { firstIssue } from '../json.ts';

/**
 * Why Google's generateContent would refuse the body, for the mistakes that clients and gateways make; undefined if it would not.
 * From the API reference and its error messages.
 */
export function googleRefusal(model: string, body: Readonly<Record<string, unknown>>): string | undefined {
  const issue = firstIssue(request, body);
  if (issue !== undefined) return `Invalid JSON payload received. ${issue}`;
  const valid = body as Request;
  return (
    configRefusal(model, valid) ?? turnRefusal(valid.contents) ?? signatureRefusal(model, valid.contents)
  );
}

const name = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/, 'Invalid function name');
const part = z
  .strictObject({
    text: z.string().min(1, 'required oneof field "data" must have one initialized field').optional(),
    inlineData: z.strictObject({ mimeType: z.string(), data: z.base64().min(1) }).optional(),
    fileData: z.strictObject({ mimeType: z.string().optional(), fileUri: z.string() }).optional(),
    functionCall: z
      .strictObject({ id: z.string().optional(), name, args: z.record(z.string(), z.unknown()).optional() })
      .optional(),
    functionResponse: z
      .strictObject({ id: z.string().optional(), name, response: z.record(z.string(), z.unknown()) })
      .optional(),
    thought: z.boolean().optional(),
    thoughtSignature: z.string().optional(),
  })
  .refine(
    ({ text, inlineData, fileData, functionCall, functionResponse }) =>
      [text, inlineData, fileData, functionCall, functionResponse].filter((one) => one !== undefined)
        .length === 1,
    'required oneof field "data" must have one initialized field',
  );
const content = z.strictObject({
  role: z.enum(['user', 'model'], 'Please use a valid role: user, model.'),
  parts: z.array(part).min(1, 'contents.parts must not be empty'),
});

/** A schema in Google's own form, which has these keywords only. */
const ownSchema: z.ZodType = z.lazy(() =>
  z.strictObject({
    type: z.string().optional(),
    format: z.string().optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    nullable: z.boolean().optional(),
    enum: z.array(z.string()).optional(),
    minItems: z.unknown().optional(),
    maxItems: z.unknown().optional(),
    minProperties: z.unknown().optional(),
    maxProperties: z.unknown().optional(),
    minLength: z.unknown().optional(),
    maxLength: z.unknown().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    pattern: z.string().optional(),
    example: z.unknown().optional(),
    default: z.unknown().optional(),
    properties: z.record(z.string(), ownSchema).optional(),
    required: z.array(z.string()).optional(),
    propertyOrdering: z.array(z.string()).optional(),
    items: ownSchema.optional(),
    anyOf: z.array(ownSchema).optional(),
  }),
);
const jsonSchema = z.record(z.string(), z.unknown());

const request = z.strictObject({
  contents: z.array(content).min(1, 'contents are not specified'),
  systemInstruction: z.strictObject({ role: z.string().optional(), parts: z.array(part).min(1) }).optional(),
  cachedContent: z.string().optional(),
  safetySettings: z.array(z.looseObject({})).optional(),
  serviceTier: z.string().optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z
          .array(
            z.strictObject({
              name,
              description: z.string(),
              parameters: ownSchema.optional(),
              parametersJsonSchema: jsonSchema.optional(),
              response: ownSchema.optional(),
              responseJsonSchema: jsonSchema.optional(),
            }),
          )
          .min(1)
          .optional(),
        googleSearch: z.looseObject({}).optional(),
        codeExecution: z.looseObject({}).optional(),
        urlContext: z.looseObject({}).optional(),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z.strictObject({
        mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']),
        allowedFunctionNames: z.array(z.string()).min(1).optional(),
      }),
    })
    .optional(),
  generationConfig: z
    .strictObject({
      stopSequences: z.array(z.string()).max(5).optional(),
      responseMimeType: z.enum(['text/plain', 'application/json', 'text/x.enum']).optional(),
      responseSchema: ownSchema.optional(),
      responseJsonSchema: jsonSchema.optional(),
      responseModalities: z.array(z.string()).optional(),
      candidateCount: z.int().min(1).max(8).optional(),
      maxOutputTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      topK: z.number().min(1).optional(),
      seed: z.int().optional(),
      presencePenalty: z.number().min(-2).max(2).optional(),
      frequencyPenalty: z.number().min(-2).max(2).optional(),
      responseLogprobs: z.boolean().optional(),
      logprobs: z.int().optional(),
      thinkingConfig: z
        .strictObject({
          includeThoughts: z.boolean().optional(),
          thinkingBudget: z.int().min(-1).optional(),
          thinkingLevel: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
        })
        .optional(),
      mediaResolution: z.string().optional(),
    })
    .optional(),
});
type Request = z.infer<typeof request>;
type Content = Request['contents'][number];

function isGemini3(model: string): boolean {
  return /^gemini-[3-9]/.test(model);
}

function configRefusal(model: string, { generationConfig, tools, toolConfig }: Request): string | undefined {
  const { thinkingBudget, thinkingLevel } = generationConfig?.thinkingConfig ?? {};
  const functions = (tools ?? []).flatMap(({ functionDeclarations }) => functionDeclarations ?? []);
  if (thinkingBudget !== undefined && thinkingLevel !== undefined) {
    return 'You can only set only one of thinking budget and thinking level.';
  }
  if (thinkingLevel !== undefined && !isGemini3(model))
    return 'Thinking level is not supported for this model.';
  if (functions.some(({ parameters, parametersJsonSchema }) => parameters && parametersJsonSchema)) {
    return 'Only one of parameters and parametersJsonSchema may be set.';
  }
  if (
    functions.length > 0 &&
    generationConfig?.responseMimeType === 'application/json' &&
    !isGemini3(model)
  ) {
    return "Function calling with a response mime type: 'application/json' is unsupported";
  }
  const { mode, allowedFunctionNames } = toolConfig?.functionCallingConfig ?? {};
  return allowedFunctionNames !== undefined && mode !== 'ANY' && mode !== 'VALIDATED'
    ? 'Allowed function names may be set only when the function calling mode is ANY.'
    : undefined;
}

/** Calls follow a user turn or results; each call has its result in the next turn. */
function turnRefusal(contents: readonly Content[]): string | undefined {
  let calls: readonly string[] = [];
  for (const [at, { role, parts }] of contents.entries()) {
    const called = parts.flatMap(({ functionCall }) => functionCall?.name ?? []);
    const returned = parts.flatMap(({ functionResponse }) => functionResponse?.name ?? []);
    if (calls.length !== returned.length) {
      return returned.length === 0 || calls.length === 0
        ? 'Please ensure that function response turn comes immediately after a function call turn.'
        : 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    }
    if (called.length > 0 && (role !== 'model' || contents[at - 1]?.role !== 'user')) {
      return 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.';
    }
    if ([...calls].sort().join() !== [...returned].sort().join()) {
      return 'Please ensure that function response names match the function calls.';
    }
    calls = called;
  }
  return calls.length > 0
    ? 'Please ensure that function response turn comes immediately after a function call turn.'
    : undefined;
}

const SKIP_SIGNATURE = 'skip_thought_signature_validator';

/** Since the last user turn, the first call of each turn carries the signature it was given. */
function signatureRefusal(model: string, contents: readonly Content[]): string | undefined {
  if (!isGemini3(model)) return undefined;
  const lastUserTurn = contents.findLastIndex(
    ({ role, parts }) =>
      role === 'user' && parts.some(({ functionResponse }) => functionResponse === undefined),
  );
  for (const { parts } of contents.slice(lastUserTurn + 1)) {
    const call = parts.find(({ functionCall }) => functionCall !== undefined);
    if (call === undefined) continue;
    if (call.thoughtSignature !== THOUGHT_SIGNATURE && call.thoughtSignature !== SKIP_SIGNATURE) {
      return `Function call is missing a thought_signature in functionCall parts: ${call.functionCall!.name}`;
    }
  }
  return undefined;
}
