import type { z } from 'zod';
import type { Standing } from '../artifact/index.ts';
import type { standingSchema } from './schemas/response.ts';

/** An artifact's standing in the words of the HTTP API. */
export function standingJson(standing: Standing): z.infer<typeof standingSchema> {
  if (standing.kind === 'none') {
    return { status: 'none', suite: null, issued: null, expires: null, why: standing.why };
  }
  const { suite, issued, expires } = standing;
  if (standing.kind === 'pass') return { status: 'PASS', suite, issued, expires, why: null };
  return { status: standing.kind, suite, issued, expires, why: standing.why };
}
