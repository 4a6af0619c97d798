// What every journal promises about messages that are sent again.

import assert from 'node:assert/strict';
import { RESEND_KEEP_MS } from '../../src/core/journal.ts';
import { aMessage, append, EVE, type Holds, MAX } from './journal.ts';

export function holdsResends(holds: Holds): void {
  holds('a message that is sent again under its key within a day is the same', async ({ journal }) => {
    const first = aMessage({ resendKey: 'k' });
    const appended = await Promise.all([
      append(journal, first),
      append(journal, { ...first, atMs: 2_000 }),
      append(journal, { ...first, text: 'ho' }),
      append(journal, { ...first, to: ['Max'], recipients: [MAX] }),
      append(journal, { ...first, from: EVE }),
      append(journal, { ...first, resendKey: 'K' }),
      append(journal, { ...first, atMs: first.atMs + RESEND_KEEP_MS - 1 }),
    ]);
    assert.deepEqual(appended, [
      { result: 'new', id: 1 },
      { result: 'same', id: 1, atMs: 1_000 },
      { result: 'other', id: 1 },
      { result: 'other', id: 1 },
      { result: 'new', id: 2 },
      { result: 'new', id: 3 },
      { result: 'same', id: 1, atMs: 1_000 },
    ]);
  });

  holds('a key is forgotten a day after its first message, and then stands for the next', async ({ journal }) => {
    const first = aMessage({ resendKey: 'k' });
    const later = { ...first, atMs: first.atMs + RESEND_KEEP_MS, text: 'ho' };
    assert.deepEqual(await append(journal, first), { result: 'new', id: 1 });
    assert.deepEqual(await append(journal, later), { result: 'new', id: 2 });
    assert.deepEqual(await append(journal, { ...later, atMs: later.atMs + 1 }), {
      result: 'same',
      id: 2,
      atMs: later.atMs,
    });
  });

  holds('a resend key is known after the journal was opened again', async ({ journal, reopen }) => {
    await append(journal, aMessage({ resendKey: 'k' }));
    const again = await reopen();
    assert.deepEqual(await append(again.journal, aMessage({ resendKey: 'k' })), { result: 'same', id: 1, atMs: 1_000 });
  });
}
