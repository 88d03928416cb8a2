import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord, State } from '../../../router/state/index.ts';

/** What every log promises. `open` gives an empty state. */
export function describeLogContract(name: string, open: () => Promise<State>): void {
  describe(`${name} keeps the log contract`, () => {
    let state: State;
    beforeAll(async () => {
      state = await open();
    });
    afterAll(() => state?.close());
    const record = (id: string, changes: Partial<LogRecord> = {}): LogRecord => ({
      id,
      timeMs: 1_000,
      body: `{"id":"${id}"}`,
      ...changes,
    });
    const idsOf = async (stream: string) =>
      (await state.log.read(stream, { afterSeq: 0, limit: 1_000 })).map(({ id }) => id);

    it('gives back what was appended, in order, page by page', async () => {
      const records = ['a', 'b', 'c', 'd', 'e'].map((id, i) => record(id, { timeMs: i, keyId: 'key' }));
      await state.log.append('pages', records.slice(0, 3));
      await state.log.append('pages', records.slice(3));
      const first = await state.log.read('pages', { afterSeq: 0, limit: 2 });
      const rest = await state.log.read('pages', { afterSeq: first.at(-1)!.seq, limit: 10 });
      expect([...first, ...rest].map(({ seq: _, ...stored }) => stored)).toEqual(
        records.map((one) => ({ ...one, text: undefined })),
      );
      expect(await state.log.read('pages', { afterSeq: rest.at(-1)!.seq, limit: 10 })).toEqual([]);
    });

    it('gives the newest records first', async () => {
      await state.log.append(
        'newest',
        ['a', 'b', 'c'].map((id) => record(id)),
      );
      await state.log.append('newest', [record('d', { timeMs: 1, text: 'words' })]);
      const newest = await state.log.newest('newest', 3);
      expect(newest.map(({ id, text }) => [id, text])).toEqual([
        ['d', 'words'],
        ['c', undefined],
        ['b', undefined],
      ]);
      expect(await state.log.newest('nothing', 3)).toEqual([]);
    });

    it('keeps a record that is appended twice once, and the rest of its batch', async () => {
      await state.log.append('twice', [record('a'), record('b')]);
      await state.log.append('twice', [record('b', { body: '{"other":1}' }), record('c')]);
      expect(await idsOf('twice')).toEqual(['a', 'b', 'c']);
    });

    it('gives one record by its id', async () => {
      await state.log.append('found', [record('a', { keyId: 'key', text: 'words' }), record('b')]);
      expect(await state.log.get('found', 'a')).toEqual({
        ...record('a'),
        seq: expect.any(Number),
        keyId: 'key',
        text: 'words',
      });
      expect(await state.log.get('found', 'c')).toBeUndefined();
      expect(await state.log.get('nothing', 'a')).toBeUndefined();
      expect(await state.log.get('found', 'a\0')).toBeUndefined();
      expect(await state.log.get('found', '\ud800')).toBeUndefined();
      expect(state.trouble()).toBeUndefined();
    });

    it('keeps streams apart', async () => {
      await state.log.append('one', [record('same')]);
      await state.log.append('other', [record('same')]);
      expect(await idsOf('one')).toEqual(['same']);
      expect(await idsOf('other')).toEqual(['same']);
    });

    it.each([
      ['a NUL', 'a\0b'],
      ['half a surrogate pair', 'a\ud83db'],
      ['quotes, line breaks and emoji', `"'\n\\ 👩‍👩‍👧‍👦`],
      ['nothing', ''],
    ])('keeps text with %s', async (what, text) => {
      const body = JSON.stringify({ text });
      await state.log.append('texts', [record(what, { text, body })]);
      const stored = await state.log.read('texts', { afterSeq: 0, limit: 100 });
      expect(stored.at(-1)).toMatchObject({ id: what, text, body });
    });

    it('takes a batch of many records at once', async () => {
      const records = Array.from({ length: 5_000 }, (_, i) =>
        record(`r${i}`, { body: `{"text":"${'x'.repeat(200)}"}` }),
      );
      await state.log.append('many', records);
      expect(await state.log.read('many', { afterSeq: 0, limit: 10_000 })).toHaveLength(5_000);
    });

    it('prunes by age', async () => {
      await state.log.append(
        'age',
        [1, 2, 3, 4].map((timeMs) => record(`t${timeMs}`, { timeMs })),
      );
      expect(await state.log.prune('age', { beforeMs: 3 })).toBe(2);
      expect(await idsOf('age')).toEqual(['t3', 't4']);
    });

    it('prunes the oldest records by size', async () => {
      const body = 'x'.repeat(100);
      await state.log.append(
        'size',
        ['a', 'b', 'c', 'd'].map((id) => record(id, { body })),
      );
      expect(await state.log.prune('size', { maxBytes: 250 })).toBe(2);
      expect(await idsOf('size')).toEqual(['c', 'd']);
      expect(await state.log.prune('size', { maxBytes: 0 })).toBe(2);
      expect(await state.log.prune('size', { maxBytes: 0 })).toBe(0);
    });

    it('prunes nothing in other streams', async () => {
      await state.log.append('kept', [record('a', { timeMs: 0 })]);
      await state.log.append('pruned', [record('a', { timeMs: 0 })]);
      await state.log.prune('pruned', { beforeMs: 1 });
      expect(await idsOf('kept')).toEqual(['a']);
    });

    it('erases by user, by session, and under one key alone', async () => {
      await state.log.append('people', [
        record('1', { user: 'ann', session: 's1', keyId: 'k1' }),
        record('2', { user: 'ann', session: 's2', keyId: 'k2' }),
        record('3', { user: 'bob', session: 's1', keyId: 'k1' }),
        record('4', { keyId: 'k1' }),
      ]);
      expect(await state.log.erase({ user: 'ann', keyId: 'k2' })).toBe(1);
      expect(await idsOf('people')).toEqual(['1', '3', '4']);
      expect(await state.log.erase({ user: 'ann', session: 's2' })).toBe(0);
      expect(await state.log.erase({ session: 's1' })).toBe(2);
      expect(await idsOf('people')).toEqual(['4']);
    });

    it('copies user and session from another record, where a record names none, and keeps them when that one goes', async () => {
      await state.log.append('asked', [
        record('1', { user: 'cid', session: 's3', timeMs: 1 }),
        record('2', { session: 's4', timeMs: 1 }),
      ]);
      const sameSubjectAs = { stream: 'asked', id: '1' };
      await state.log.append('said', [
        record('a', { sameSubjectAs, keyId: 'k1', text: 'words' }),
        record('b', { sameSubjectAs, user: 'dora' }),
        record('c', { sameSubjectAs: { stream: 'asked', id: '2' } }),
        record('d', { sameSubjectAs: { stream: 'asked', id: 'none' } }),
        record('e', { sameSubjectAs: { stream: 'said', id: '1' } }),
        record('f'),
      ]);
      await state.log.append('said', [record('f', { sameSubjectAs }), record('g', { sameSubjectAs })]);
      const { seq: _, ...stored } = (await state.log.get('said', 'a'))!;
      expect(stored).toEqual({ ...record('a'), keyId: 'k1', text: 'words' });
      expect(await idsOf('said')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
      await state.log.prune('asked', { beforeMs: 2 });
      expect(await state.log.erase({ user: 'cid' })).toBe(2);
      expect(await idsOf('said')).toEqual(['b', 'c', 'd', 'e', 'f']);
      expect(await state.log.erase({ session: 's3' })).toBe(1);
      expect(await state.log.erase({ session: 's4' })).toBe(1);
      expect(await idsOf('said')).toEqual(['d', 'e', 'f']);
    });

    it('does not erase without a user or a session', async () => {
      await expect((async () => state.log.erase({ keyId: 'k1' }))()).rejects.toMatchObject({
        code: 'invalid-input',
      });
    });

    it('names its streams, and none that is empty', async () => {
      await state.log.append('zoo', [record('a')]);
      await state.log.append('ant', [record('a', { timeMs: 1 })]);
      expect(await state.log.streams()).toEqual(expect.arrayContaining(['ant', 'zoo']));
      expect([...(await state.log.streams())].sort()).toEqual(await state.log.streams());
      await state.log.prune('ant', { beforeMs: 2 });
      expect(await state.log.streams()).not.toContain('ant');
    });

    it('keeps the newest that have room, whatever the sizes', async () => {
      const sizes = Array.from({ length: 50 }, (_, i) => 2 + ((i * 37) % 23));
      await state.log.append(
        'large',
        sizes.map((size, i) => record(`r${i}`, { body: '"'.padEnd(size - 1, 'x').concat('"') })),
      );
      for (const maxBytes of [400, 399, 123, 24, 1]) {
        await state.log.prune('large', { maxBytes });
        let room = maxBytes;
        let kept = 0;
        while (kept < sizes.length && sizes.at(-1 - kept)! <= room) room -= sizes.at(-1 - kept++)!;
        const left = await state.log.read('large', { afterSeq: 0, limit: 100 });
        expect(left.map(({ id }) => id)).toEqual(sizes.map((_, i) => `r${i}`).slice(sizes.length - kept));
      }
    });

    it('says how much each stream holds', async () => {
      await state.log.append('measured', [
        record('a', { timeMs: 5, body: '{}' }),
        record('b', { timeMs: 9, body: '{}' }),
      ]);
      const sizes = await state.log.sizes();
      expect(sizes.find(({ stream }) => stream === 'measured')).toEqual({
        stream: 'measured',
        records: 2,
        bytes: 4,
        oldestMs: 5,
        newestMs: 9,
      });
    });
  });
}
