import type { Verdict } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import { countWord, rateWord } from '../number-words.ts';
import { excludedSentence, looksSentence } from '../sealed-sentences.ts';
import { escaped } from './escaped.ts';
import { htmlTable } from './html-table.ts';

/** What the verdict is bound to, by hash. */
export function provenanceSection(verdict: Verdict, evidence: Evidence): string {
  const { sealed, tools } = verdict;
  return `<section><h2>Provenance</h2>
<dl class="hashes">${bindings(verdict, evidence)
    .map(
      ([name, what, sha256]) =>
        `<dt>${name}</dt><dd>${escaped(what)}<br><code>${escaped(sha256)}</code></dd>`,
    )
    .join('\n')}</dl>
<p>${excludedSentence(verdict)} ${looksSentence(verdict)}</p>
<h3>Files</h3>
${htmlTable('Files', [
  ['file', 'rows', 'sha256'],
  ...sealed.files.map(({ file, rows, sha256 }) => [file, countWord(rows), sha256.slice(0, 16)]),
])}
<h3>Candidates</h3>
${htmlTable('Candidates', [
  ['candidate', 'model', 'quality'],
  ...evidence.candidates.map(({ candidate, model, quality }) => [candidate, model, rateWord(quality)]),
])}
<p class="muted">${escaped(
    Object.entries(tools)
      .map(([tool, version]) => `${tool} ${version}`)
      .join(', '),
  )}</p>
</section>`;
}

function bindings(verdict: Verdict, { hard_cases }: Evidence): [string, string, string][] {
  const { artifact, suite, sealed, issued, sha256 } = verdict;
  return [
    ['verdict', issued, sha256],
    ['artifact', artifact.name, artifact.sha256],
    ['suite', suite.name, suite.sha256],
    ['sealed cases', countWord(sealed.n), sealed.sha256],
    ...(hard_cases
      ? [['hard cases', countWord(hard_cases.n), hard_cases.sha256] as [string, string, string]]
      : []),
  ];
}
