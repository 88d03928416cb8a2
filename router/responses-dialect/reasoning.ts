import { z } from 'zod';
import type { ProviderKind } from '../catalog/index.ts';
import { parseJson } from '../json/index.ts';
import type { ProviderOptions } from '../targets/index.ts';

/**
 * What a provider needs back with a model's reasoning: signatures, encrypted texts. A reasoning item of the Responses API has one field for
 * it, `encrypted_content`, which clients send back unread. What other providers than OpenAI gave is written into it under the name of
 * their kind, so that it never goes to another family of models.
 */
export interface ReasoningProof {
  readonly kind: ProviderKind;
  readonly metadata: ProviderOptions;
  /** It belongs to the text or call after the reasoning, as Google's signatures do. */
  readonly ofNext: boolean;
}

const PREFIX = 'plimsoll.';

/** The only fields that go back: a client could write anything else. */
const FIELDS = z.object({
  signature: z.string().optional(),
  redactedData: z.string().optional(),
  thoughtSignature: z.string().optional(),
});

const writtenSchema = z.object({ metadata: z.record(z.string(), FIELDS), next: z.boolean().optional() });

/** Undefined if the provider gave nothing that it needs back. */
export function reasoningProof(
  kind: ProviderKind,
  metadata: ProviderOptions | undefined,
  ofNext = false,
): string | undefined {
  const parsed = writtenSchema.safeParse({ metadata: metadata ?? {} });
  const known = parsed.success ? Object.entries(parsed.data.metadata) : [];
  const given = known.filter(([, fields]) => Object.keys(fields).length > 0);
  if (given.length === 0) return undefined;
  const written = { metadata: Object.fromEntries(given), ...(ofNext && { next: true }) };
  return `${PREFIX}${kind}.${Buffer.from(JSON.stringify(written)).toString('base64url')}`;
}

/** Undefined for what OpenAI, or anybody else, wrote into the field. */
export function readProof(encrypted: string | null | undefined): ReasoningProof | undefined {
  if (!encrypted?.startsWith(PREFIX)) return undefined;
  const [kind = '', data = ''] = encrypted.slice(PREFIX.length).split('.');
  const parsed = writtenSchema.safeParse(parseJson(Buffer.from(data, 'base64url').toString('utf8')));
  if (!parsed.success) return undefined;
  const { metadata, next = false } = parsed.data;
  return { kind: kind as ProviderKind, metadata: metadata as ProviderOptions, ofNext: next };
}

/** Whether the field holds what another provider than OpenAI gave. */
export function isMappedProof(encrypted: unknown): boolean {
  return typeof encrypted === 'string' && encrypted.startsWith(PREFIX);
}
