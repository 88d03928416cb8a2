import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { State } from '../../../router/state/index.ts';

/** What every implementation of documents promises. */
export function describeDocumentsContract(name: string, open: () => Promise<State>): void {
  describe(`${name} keeps the documents contract`, () => {
    let state: State;
    beforeAll(async () => {
      state = await open();
    });
    afterAll(() => state?.close());
    const key = (id: string, scope = 'k1') => ({ scope, kind: 'thread', id });

    it('gives back JSON as it was put', async () => {
      const value = { text: 'a\0b \ud83d 👍', list: [1, null, true], nested: { a: 1.5 } };
      const version = await state.documents.put(key('a'), { value });
      expect(await state.documents.get(key('a'))).toEqual({ id: 'a', value, version });
    });

    it('gives back many at once: those that there are, of this API key and kind alone', async () => {
      const ids = Array.from({ length: 120 }, (_, i) => `many-${i}`);
      const versions = await Promise.all(ids.map((id, i) => state.documents.put(key(id), { value: { i } })));
      await state.documents.put(key('many-x', 'k2'), { value: 1 });
      await state.documents.put({ ...key('many-y'), kind: 'other' }, { value: 1 });
      await state.documents.put(key('many-z'), { value: 1, ttlMs: 1 });
      await expect.poll(() => state.documents.get(key('many-z'))).toBeUndefined();
      const wanted = [
        ...ids.toReversed(),
        'many-7',
        'many-x',
        'many-y',
        'many-z',
        "it's none",
        'a'.repeat(500),
      ];
      const found = await state.documents.getMany('k1', 'thread', wanted);
      expect(found.size).toBe(120);
      expect(found.get('many-7')).toEqual({ id: 'many-7', value: { i: 7 }, version: versions[7] });
      expect(await state.documents.getMany('k1', 'thread', [])).toEqual(new Map());
    });

    it('has another version after each write, also of the same value and after a deletion', async () => {
      const versions = new Set<string | undefined>();
      for (let i = 0; i < 3; i++) versions.add(await state.documents.put(key('v'), { value: 1 }));
      expect(await state.documents.delete(key('v'))).toBe(true);
      versions.add(await state.documents.put(key('v'), { value: 1 }));
      expect(versions.size).toBe(4);
    });

    it('writes only what is still as it was read', async () => {
      const first = await state.documents.put(key('cas'), { value: 1, expected: null });
      expect(await state.documents.put(key('cas'), { value: 2, expected: null })).toBeUndefined();
      const second = await state.documents.put(key('cas'), { value: 2, expected: first! });
      expect(await state.documents.put(key('cas'), { value: 3, expected: first! })).toBeUndefined();
      expect(await state.documents.get(key('cas'))).toEqual({ id: 'cas', value: 2, version: second });
      await state.documents.delete(key('cas'));
      expect(await state.documents.put(key('cas'), { value: 4, expected: second! })).toBeUndefined();
    });

    it('lets one of many concurrent writers win', async () => {
      const version = await state.documents.put(key('race'), { value: 0 });
      const writes = Array.from({ length: 20 }, (_, i) =>
        state.documents.put(key('race'), { value: i, expected: version! }),
      );
      expect((await Promise.all(writes)).filter((won) => won !== undefined)).toHaveLength(1);
    });

    it('keeps API keys apart', async () => {
      await state.documents.put(key('mine', 'k1'), { value: 1 });
      expect(await state.documents.get(key('mine', 'k2'))).toBeUndefined();
      expect(await state.documents.delete(key('mine', 'k2'))).toBe(false);
      await state.documents.put(key('mine', 'k2'), { value: 2 });
      expect(await state.documents.get(key('mine', 'k1'))).toMatchObject({ value: 1 });
    });

    it('forgets what has expired, and may write it anew', async () => {
      const version = await state.documents.put(key('ttl'), { value: 1, ttlMs: 30 });
      await expect.poll(() => state.documents.get(key('ttl'))).toBeUndefined();
      expect(await state.documents.put(key('ttl'), { value: 2, expected: version! })).toBeUndefined();
      expect(await state.documents.delete(key('ttl'))).toBe(false);
      expect(await state.documents.put(key('ttl'), { value: 2, expected: null })).toBeDefined();
      expect(await state.documents.get(key('ttl'))).toMatchObject({ value: 2 });
    });

    it('prunes what has expired and nothing else', async () => {
      await state.documents.put({ scope: '', kind: 'pruned', id: 'old' }, { value: 1, ttlMs: 1 });
      await state.documents.put({ scope: '', kind: 'pruned', id: 'new' }, { value: 1, ttlMs: 3_600_000 });
      await state.documents.put({ scope: '', kind: 'pruned', id: 'for ever' }, { value: 1 });
      await expect.poll(() => state.documents.list('', 'pruned', 10)).toHaveLength(2);
      expect(await state.documents.prune()).toBeGreaterThanOrEqual(1);
      expect((await state.documents.list('', 'pruned', 10)).map(({ id }) => id)).toEqual(['for ever', 'new']);
    });

    it('lists by id, up to a limit', async () => {
      for (const id of ['c', 'a', 'b'])
        await state.documents.put({ scope: 's', kind: 'listed', id }, { value: id });
      const listed = await state.documents.list('s', 'listed', 2);
      expect(listed.map(({ value }) => value)).toEqual(['a', 'b']);
    });

    it('erases by user or session', async () => {
      await state.documents.put(key('e1'), { value: 1, user: 'ann', session: 's' });
      await state.documents.put(key('e2', 'k2'), { value: 1, user: 'ann' });
      await state.documents.put(key('e3'), { value: 1, session: 's' });
      expect(await state.documents.erase({ user: 'ann', keyId: 'k2' })).toBe(1);
      expect(await state.documents.erase({ session: 's' })).toBe(2);
      expect(await state.documents.get(key('e1'))).toBeUndefined();
    });

    it.each([
      ['of 10 kB', 'x'.repeat(10_000)],
      ['with a NUL', 'a\0b'],
    ])('refuses an id %s', async (_, id) => {
      await expect((async () => state.documents.get(key(id)))()).rejects.toMatchObject({
        code: 'invalid-input',
      });
      await expect((async () => state.documents.put(key(id), { value: 1 }))()).rejects.toMatchObject({
        code: 'invalid-input',
      });
    });
  });
}
