import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const ROUTER = new URL('../../router/', import.meta.url).href;

interface Ended {
  readonly code: number | string | null | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module in a process of its own, as `tsx` would. A process that does not end by itself is killed. */
function run(program: string): Promise<Ended> {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 40_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? undefined, stdout, stderr }),
    );
  });
}

const OPEN = `const { openEncoder } = await import('${ROUTER}encoders/open-encoder.ts');`;

describe('a process with an encoder', () => {
  it('ends by itself when nothing is left to embed, closed or not', async () => {
    const ended = await run(`${OPEN}
      const encoder = await openEncoder({ id: 'minilm', workers: 2 });
      const vectors = await Promise.all(['a', 'b', 'c'].map((text) => encoder.embed(text)));
      console.log(vectors.length);`);
    expect(ended).toMatchObject({ code: 0, stdout: '3\n' });
  });

  it('may close its encoder as its last deed', async () => {
    const ended = await run(`${OPEN}
      const encoder = await openEncoder({ id: 'minilm' });
      await encoder.close();
      console.log('closed');`);
    expect(ended).toMatchObject({ code: 0, stdout: 'closed\n' });
  });

  it('may exit in the middle of a text without being aborted', async () => {
    const ended = await run(`${OPEN}
      const encoder = await openEncoder({ id: 'minilm', workers: 2 });
      for (let i = 0; i < 8; i++) void encoder.embed('word '.repeat(300));
      setTimeout(() => process.exit(7), 10);`);
    expect(ended).toMatchObject({ code: 7, signal: undefined, stderr: '' });
  });

  it('may exit at any moment of loading a model without being aborted', async () => {
    const exitAfter = (ms: number): Promise<Ended> =>
      run(`${OPEN}
        void openEncoder({ id: 'minilm' });
        setTimeout(() => process.exit(7), ${ms});`);
    const ended = await Promise.all([150, 450, 1_200].map(exitAfter));
    expect(ended).toEqual(ended.map(() => ({ code: 7, signal: undefined, stdout: '', stderr: '' })));
  });

  it('loads no native runtime for the static encoder', async () => {
    const ended = await run(`${OPEN}
      const encoder = await openEncoder({ id: 'static' });
      await encoder.embed('hello');
      const libraries = process.report.getReport().sharedObjects.filter((file) => /onnxruntime/.test(file));
      console.log(JSON.stringify(libraries));`);
    expect(ended).toMatchObject({ code: 0, stdout: '[]\n' });
  });
});
