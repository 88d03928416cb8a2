import { describe, expect, it } from 'vitest';
import { openEncoderPool } from '../../router/encoders/encoder-pool.ts';
import { fakeThreads } from './fake-thread.ts';

const died = expect.objectContaining({ name: 'PlimsollError', code: 'internal' });

describe('the pool of encoder threads', () => {
  it('answers every text with its own vector', async () => {
    const pool = await openEncoderPool({ start: fakeThreads().start, workers: 3 });
    const texts = Array.from({ length: 100 }, (_, i) => 'x'.repeat(i));
    const vectors = await Promise.all(texts.map((text) => pool.embed(text)));
    expect(vectors.map((vector) => vector[0])).toEqual(texts.map((text) => text.length));
    await pool.close();
  });

  it('answers in the order of asking where there is one thread', async () => {
    const pool = await openEncoderPool({ start: fakeThreads().start, workers: 1 });
    const order: number[] = [];
    const ask = (text: string, i: number): Promise<unknown> => pool.embed(text).then(() => order.push(i));
    await Promise.all(['wait 20', 'wait 1', 'c', 'wait 5', 'e'].map(ask));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    await pool.close();
  });

  it('starts one thread, and further ones only when texts wait', async () => {
    const fake = fakeThreads();
    const pool = await openEncoderPool({ start: fake.start, workers: 2 });
    for (let i = 0; i < 5; i++) await pool.embed('one at a time');
    expect(fake.started()).toBe(1);
    await Promise.all(Array.from({ length: 20 }, () => pool.embed('wait 5')));
    expect(fake.started()).toBe(2);
    await pool.close();
  });

  it.each(['crash', 'exit'])(
    'rejects the text on which a thread %ses, and replaces the thread',
    async (text) => {
      const fake = fakeThreads();
      const pool = await openEncoderPool({ start: fake.start, workers: 1 });
      const [bad, good] = await Promise.allSettled([pool.embed(text), pool.embed('next')]);
      expect(bad).toEqual({ status: 'rejected', reason: died });
      expect(good.status).toBe('fulfilled');
      expect(fake.started()).toBe(2);
      await pool.close();
    },
  );

  it('rejects a text that the model refuses, and keeps the thread', async () => {
    const fake = fakeThreads();
    const pool = await openEncoderPool({ start: fake.start, workers: 1 });
    await expect(pool.embed('fail')).rejects.toThrow('no vector');
    expect((await pool.embed('good'))[0]).toBe(4);
    expect(fake.started()).toBe(1);
    await pool.close();
  });

  it('gives up on what waits after three crashes in a row, and tries again for the next text', async () => {
    const fake = fakeThreads(['well', 'crash', 'crash']);
    const pool = await openEncoderPool({ start: fake.start, workers: 1 });
    const all = await Promise.allSettled(['crash', 'a', 'b'].map((text) => pool.embed(text)));
    expect(all).toEqual(all.map(() => ({ status: 'rejected', reason: died })));
    expect(fake.started()).toBe(3);
    expect((await pool.embed('again'))[0]).toBe(5);
    await pool.close();
  });

  it('goes on with the threads that it has where another cannot load', async () => {
    const fake = fakeThreads(['well', 'fail', 'fail', 'fail']);
    const pool = await openEncoderPool({ start: fake.start, workers: 2 });
    const vectors = await Promise.all(Array.from({ length: 10 }, () => pool.embed('wait 10')));
    expect(vectors).toHaveLength(10);
    await pool.close();
  });

  it('does not open where the first thread cannot load, and says what the thread said', async () => {
    const { start } = fakeThreads(['fail']);
    const listeners = process.listenerCount('exit');
    await expect(openEncoderPool({ start })).rejects.toMatchObject({
      code: 'weights-missing',
      message: 'no weights',
    });
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it('does not open with no worker, or with half a one', async () => {
    for (const workers of [0, 1.5, Number.NaN]) {
      const opening = openEncoderPool({ start: fakeThreads().start, workers });
      await expect(opening).rejects.toMatchObject({ code: 'invalid-input' });
    }
  });

  it('answers what it accepted before it closes, and nothing afterwards', async () => {
    const listeners = process.listenerCount('exit');
    const pool = await openEncoderPool({ start: fakeThreads().start, workers: 2 });
    const accepted = ['wait 20', 'wait 5', 'b', 'c'].map((text) => pool.embed(text));
    const closing = pool.close();
    await expect(pool.embed('too late')).rejects.toThrow('closed');
    expect(await Promise.all(accepted)).toHaveLength(4);
    await closing;
    await pool.close();
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it('closes even when its last thread crashes', async () => {
    const pool = await openEncoderPool({ start: fakeThreads().start, workers: 1 });
    const crashing = expect(pool.embed('crash')).rejects.toEqual(died);
    await pool.close();
    await crashing;
  });
});
