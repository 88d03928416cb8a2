import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask, gatewayForTest } from '../gateway/running-gateway.ts';

const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const namesIn = (text: string) => new Set(text.match(/\bplimsoll_[a-z_]+/g));

/** Every metric of a gateway, and the series that a histogram has. */
async function served() {
  const { url, openai } = await gatewayForTest();
  await openai.chat.completions.create(ask('Hi there'));
  const text = await (await fetch(`${url}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => ({
    name: name!,
    type: type!,
  }));
  const series = types.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return { names: types.map(({ name }) => name), series };
}

test('docs/OBSERVABILITY.md names every metric that is served, and no other', async () => {
  const { names, series } = await served();
  const documented = namesIn(read('OBSERVABILITY.md'));
  expect(names.filter((name) => !documented.has(name))).toEqual([]);
  expect([...documented].filter((name) => !names.includes(name) && !series.includes(name))).toEqual([]);
});

test('the Grafana dashboard asks for series that are served, from a data source that the user chooses', async () => {
  const { series } = await served();
  const dashboard = JSON.parse(read('grafana/plimsoll.json'));
  const panels: { type: string; targets?: { expr: string }[]; datasource?: { uid: string } }[] =
    dashboard.panels;
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(20);
  for (const query of queries) {
    expect(namesIn(query).size, query).toBeGreaterThan(0);
    expect(
      [...namesIn(query)].filter((name) => !series.includes(name)),
      query,
    ).toEqual([]);
  }
  for (const { type, datasource } of panels)
    if (type !== 'row') expect(datasource?.uid).toMatch(/^\$\{datasource\}$/);
});
