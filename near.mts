import { readFileSync } from 'node:fs';
import { createRouter, loadConfig } from '/tmp/gateway/head/router/index.ts';
const r = await createRouter(loadConfig(undefined, {}));
const man = JSON.parse(readFileSync('/tmp/gateway/head/models/starter/manifest.json','utf8'));
console.log(JSON.stringify(man).slice(0,1500));
const all: any[] = [];
for (const f of ['training-data/everyday-english.jsonl','training-data/everyday-multilingual.jsonl','evals/suites/hard-cases.jsonl']) {
  for (const l of readFileSync('/tmp/gateway/head/'+f,'utf8').trimEnd().split('\n')) {
    const { id, prompt } = JSON.parse(l); if (prompt === undefined) continue;
    const d = await r.route({ prompt });
    const s: any = d.scores; if (!s) continue;
    all.push({ id, f, loss: s.strong - s.cheap });
  }
}
const t = man.threshold ?? man.policies?.default?.threshold ?? man.policy?.threshold;
console.log('t', t, all.length);
for (const at of [t, 0.4, 0.05]) {
  const below = all.filter(x => x.loss <= at).sort((a,b)=>b.loss-a.loss).slice(0,3);
  const above = all.filter(x => x.loss > at).sort((a,b)=>a.loss-b.loss).slice(0,3);
  console.log(at, below.map(x=>[x.id, x.loss-at]), above.map(x=>[x.id, x.loss-at]));
}
await r.close();
