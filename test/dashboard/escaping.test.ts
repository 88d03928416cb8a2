import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { decisionPage } from '../../router/dashboard/decision-page.ts';
import { livePage } from '../../router/dashboard/live-page.ts';
import type { PageContext } from '../../router/dashboard/page.ts';
import { playgroundPage } from '../../router/dashboard/playground-page.ts';
import { AskedReply } from '../../router/dashboard/playground-reply.ts';
import { Runs } from '../../router/dashboard/playground-runs.ts';
import { escapeMarkup, html } from '../../router/markup.ts';
import { MemoryBudget } from '../../router/memory-budget.ts';
import { openActivity } from '../../router/records/index.ts';
import type { Explained } from '../../router/router.ts';
import { facts, STRONG } from '../records/facts.ts';

const TEXT = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '"><script>alert(1)</script>',
    "' onmouseover=alert(1) x='",
    '</td></table>',
    '&lt;b&gt;',
    '\u202eevil',
  ),
);
/** Elements that the pages have themselves; scripts, pictures and frames are not among them. */
const OWN = new Set(
  'a,article,body,button,code,dd,details,div,dl,dt,fieldset,form,h1,h2,h3,head,html,input,label,legend,li,ol,option,p,rect,section,select,small,span,strong,summary,svg,table,tbody,td,th,thead,tr,br,ul'.split(
    ',',
  ),
);

function expectOwnMarkup(text: string): void {
  expect(text).not.toContain('a prompt that is on no page');
  const { document } = parseHTML(`<html><body>${text}</body></html>`);
  for (const element of document.querySelectorAll('*')) {
    expect(OWN).toContain(element.tagName.toLowerCase());
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^(?:on|style$)/i);
      if (name === 'href' || name === 'action') expect(value).toMatch(/^\/dashboard/);
    }
  }
}

function contextWith(activity: ReturnType<typeof openActivity>, query = ''): PageContext {
  const router = { ladder: [], profiles: new Map() };
  const parts = { router, gateway: { activity, state: undefined } };
  return {
    parts,
    visitor: { role: 'view', name: 'x', formToken: 'y' },
    query: new URLSearchParams(query),
    steps: [],
    serverUrl: '',
    nowMs: 0,
  } as unknown as PageContext;
}

test('whatever models, profiles, tags, rules and sessions are called, pages show it as text', async () => {
  await fc.assert(
    fc.asyncProperty(TEXT, TEXT, TEXT, async (model, name, asked) => {
      const activity = openActivity({ onFailure: () => {} });
      const session = { id: name, name: asked, source: 'header', transition: undefined } as const;
      activity.record(
        facts({
          id: 'dec_x',
          served: { ...STRONG, name: model },
          profile: name,
          requestedModel: asked,
          rule: name,
          reason: asked,
          tags: [name, asked],
          keyId: name,
          dropped: [asked],
          prompt: 'a prompt that is on no page',
          ...({ session } as object),
        }),
      );
      const context = contextWith(activity, new URLSearchParams({ session: name, model }).toString());
      const pages = [await livePage(context), await decisionPage(context, 'dec_x')];
      for (const page of pages) expectOwnMarkup(page?.text ?? '');
    }),
    { numRuns: 60 },
  );
});

test('whatever prompt, reply, error, model and word piece say, the playground shows it as text', async () => {
  await fc.assert(
    fc.asyncProperty(TEXT, TEXT, TEXT, fc.boolean(), async (prompt, reply, name, isOver) => {
      const runs = new Runs(new MemoryBudget(1e9));
      const decision = {
        candidate: name,
        model: name,
        reason: name,
        predictedLoss: 0.1,
        threshold: 0.2,
        scores: { [name]: 0.5 },
        policy: { name, version: 1 },
        artifact: { name, sha256: name },
        rule: name,
        verdict: 'none',
        ungatedReason: name,
      };
      const nearest = [{ key: name, cases: 1, similarity: 1, quality: 1 }];
      const part = {
        logit: 0,
        intercept: 0,
        features: [],
        wordPieces: [{ piece: prompt, count: 1, contribution: 1 }],
        wordPairs: [{ pair: prompt, contribution: -1 }],
        neighbours: { vote: 1, contribution: 1, nearest },
      };
      const explained = { decision, explanation: { [name]: part } } as unknown as Explained;
      const run = runs.add('y', { prompt, system: reply, profile: name, explained }, 0);
      const asked = [new AskedReply(name, name), new AskedReply(name, name)];
      for (const one of asked) one.text = reply;
      if (isOver) asked[0]!.state = 'done';
      if (isOver) asked[1]!.fail(reply);
      run.replies = asked;
      const context = { ...contextWith(openActivity({ onFailure: () => {} })), runs, steps: [run.id] };
      const page = await playgroundPage(context);
      expectOwnMarkup(page?.text ?? '');
      const { document } = parseHTML(`<html><body>${page?.text}</body></html>`);
      if (name !== '') expect(document.querySelectorAll('article')).toHaveLength(2);
    }),
    { numRuns: 60 },
  );
});

test('markup of values is text, in elements and in attributes', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const { text: made } = html`<p title="${text}">${text}</p>`;
      expect(made.replace(/^<p title="/, '').replace(/<\/p>$/, '')).not.toMatch(/<|"(?!>)/);
      expect(escapeMarkup(text)).not.toMatch(/[<>"]/);
    }),
  );
});
