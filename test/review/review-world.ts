import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type OpenReviewOptions, openReview, type Review } from '../../evals/review/index.ts';
import { startReviewServer } from '../../scripts/review-page/index.ts';
import { folderForTest, jsonLines } from '../labelling/labelling-world.ts';

/** The cheap model is bad on every fifth case; a judge says that both replies are middling. */
export function reviewCases(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    prompt: `Question ${i}?`,
    outcomes: {
      'tiny-model': {
        quality: 0.4567,
        answer: `The answer ${i % 5 ? 'is' : 'is not'} ${i}.`,
        label_source: 'judge',
      },
      'huge-model': { quality: 0.4567, answer: `I think that it is ${i}.`, label_source: 'judge' },
    },
  }));
}

export const MODELS = ['tiny-model', 'huge-model'] as const;

/** A folder with cases, and a review of them that can be opened again. */
export function reviewFolder(rows: readonly object[] = reviewCases(20), folder = folderForTest()) {
  const at = (name: string) => path.join(folder, name);
  writeFileSync(at('cases.jsonl'), jsonLines(rows));
  const options: OpenReviewOptions = {
    cases: [at('cases.jsonl')],
    candidates: MODELS,
    n: rows.length,
    reviewers: ['ann', 'bob'],
    overlap: 0.5,
    repeat: 0.2,
    out: at('grades.jsonl'),
  };
  /** Closed after the test, unless it was before. */
  const open = async (changed: Partial<OpenReviewOptions> = {}) => {
    const { review } = await openReview({ ...options, ...changed });
    let isOpen = true;
    const close = () => {
      if (isOpen) review.close();
      isOpen = false;
    };
    onTestFinished(close);
    return { review, close };
  };
  return { at, folder, options, open };
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A browser without scripts: it keeps the cookie, and sends forms as pages of the server do. */
export function visitor(url: string) {
  let cookie: string | undefined;
  function send(
    method: string,
    target: string,
    {
      form,
      headers = {},
    }: { form?: Readonly<Record<string, string>>; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Got> {
    const sent = {
      ...(cookie !== undefined && { cookie }),
      ...(method === 'POST' && { origin: url, 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const request = httpRequest(new URL(target, url), { method, headers: sent }, async (response) => {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        const [set] = response.headers['set-cookie'] ?? [];
        if (set !== undefined) cookie = set.split(';')[0];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      request.on('error', reject);
      request.end(form === undefined ? undefined : new URLSearchParams(form).toString());
    });
  }
  return {
    send,
    get: (target: string) => send('GET', target),
    post: (target: string, form: Readonly<Record<string, string>> = {}) => send('POST', target, { form }),
    get cookie() {
      return cookie;
    },
  };
}

export type Visitor = ReturnType<typeof visitor>;

/** The page of a review on a real server, closed after the test. */
export async function servedReview(
  world = reviewFolder(),
  { withScores = false, ...changed }: { withScores?: boolean } & Partial<OpenReviewOptions> = {},
) {
  const { review, close } = await world.open(changed);
  const server = await startReviewServer({ review, out: 'grades.jsonl', port: 0, withScores });
  const stop = async () => {
    await server.close();
    close();
  };
  onTestFinished(stop);
  const signedIn = async (name: string) => {
    const one = visitor(server.url);
    await one.get(name === 'lead' ? server.links.lead : (server.links.reviewers.get(name) ?? ''));
    return one;
  };
  return { ...world, review, server, stop, signedIn };
}

/** The screen that a reviewer is shown now. */
export async function nextScreen(one: Visitor): Promise<string> {
  return String((await one.get('/grade')).headers.location);
}

export const GOOD_BAD = { 'grade-0': 'good', 'grade-1': 'bad', revision: '0' } as const;

/** Grades the rest of a queue without a server. */
export function gradeAll(
  review: Review,
  reviewer: string,
  grade: (candidate: string, id: string, isRepeat: boolean) => 'good' | 'bad' | 'unclear',
): void {
  for (const screen of review.queue(reviewer)) {
    const grades = screen.items.map(({ candidate, case: id }) => ({
      grade: grade(candidate, id, screen.isRepeat),
    }));
    review.grade(reviewer, screen, { grades, revision: 0 });
  }
}
