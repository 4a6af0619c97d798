// Saying something: to whom it goes, what is refused, and what the sender is told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, refusalOf, wanting, outcomesOf, idOf, settled } from '../../../test/kit/hub.ts';

test('a broadcast reaches everyone present but the sender', async () => {
  const { come, send } = await aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  assert.equal(idOf(await send(a.session, 'all', 'hello')), 1);
  assert.deepEqual([a.texts, b.texts, c.texts], [[], ['Vamshi (broadcast) hello'], ['Vamshi (broadcast) hello']]);
});

test('a broadcast when nobody else is there is accepted', async () => {
  const { come, send } = await aHub();
  assert.equal(idOf(await send(come('Vamshi').session, 'all', 'hello')), 1);
});

test('nothing is told before it is stored, and nothing at all that cannot be', async () => {
  const { come, send, journal } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const answer = send(a.session, 'all', 'hello');
  assert.deepEqual(b.texts, []);
  await answer;
  assert.deepEqual(b.texts, ['Vamshi (broadcast) hello']);
  journal.failWith('the disk is full');
  assert.deepEqual(await send(a.session, ['Janaki'], 'lost?'), { refused: 'not-stored', reason: 'the disk is full' });
  journal.recover();
  assert.equal(idOf(await send(a.session, ['Janaki'], 'again')), 2);
  assert.deepEqual(b.texts, ['Vamshi (broadcast) hello', 'Vamshi (singlecast) again']);
});

test('answers come in the order of the commands, refusals too', async () => {
  const { come, send } = await aHub();
  const { session } = come('Vamshi');
  const order: string[] = [];
  const asking = [
    send(session, ['Vamshi'], 'one').then((answer) => order.push(String(idOf(answer)))),
    send(session, ['nobody'], 'two').then((answer) => order.push(refusalOf(answer) ?? '')),
    send(session, 'all', 'three').then((answer) => order.push(String(idOf(answer)))),
  ];
  await Promise.all(asking);
  assert.deepEqual(order, ['1', 'unknown-recipient', '2']);
});

test('one recipient is a singlecast, several a multicast, counted after duplicates and spellings are merged', async () => {
  const { come, send } = await aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  await send(a.session, ['janaki', 'JANAKI'], 'one');
  await send(a.session, ['Janaki', 'Prashanth', 'Janaki'], 'two');
  await send(a.session, ['Vamshi'], 'myself');
  assert.deepEqual(b.texts, ['Vamshi (singlecast) one', 'Vamshi (multicast) two']);
  assert.deepEqual(c.texts, ['Vamshi (multicast) two']);
  assert.deepEqual(a.texts, ['Vamshi (singlecast) myself']);
});

test('a name that was written to before leads to whoever has it now, or to nobody', async () => {
  const { hub, come, send } = await aHub();
  const a = come('Vamshi');
  const first = come('Janaki');
  await send(a.session, ['Janaki'], 'one');
  hub.leave(first.session);
  assert.equal(refusalOf(await send(a.session, ['Janaki'], 'two')), 'unknown-recipient');
  const second = come('JANAKI');
  await send(a.session, ['Janaki'], 'three');
  await send(a.session, ['JANAKI'], 'four');
  assert.deepEqual(first.texts, ['Vamshi (singlecast) one']);
  assert.deepEqual(second.texts, ['Vamshi (singlecast) three', 'Vamshi (singlecast) four']);
});

test('a message to several of whom one is unknown is sent to nobody and names the unknown', async () => {
  const { come, send, hub } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const refusal = await send(a.session, ['Janaki', 'Bob', '-x', '#none'], 'hi');
  assert.deepEqual(refusal, { refused: 'unknown-recipient', names: ['Bob', '-x', '#none'] });
  assert.deepEqual([b.texts, hub.head], [[], 0]);
});

test('all among names, an empty message, one too long and an odd key are refused', async () => {
  const { come, send } = await aHub();
  const { session } = come('Vamshi');
  assert.equal(refusalOf(await send(session, ['Vamshi', 'All'], 'hi')), 'all-among-names');
  assert.equal(refusalOf(await send(session, 'all', '')), 'empty-message');
  assert.equal(refusalOf(await send(session, ['Vamshi'], '')), 'empty-message');
  assert.equal(refusalOf(await send(session, 'all', 'é'.repeat(32_769))), 'text-too-long');
  assert.equal(idOf(await send(session, 'all', 'é'.repeat(32_768))), 1);
  assert.equal(refusalOf(await send(session, 'all', 'x', 'k'.repeat(65))), 'bad-key');
  assert.equal(refusalOf(await send(session, 'all', 'x', 'a b')), 'bad-key');
});

test('the answer names what became of it for each, and the sender hears when the rest arrives', async () => {
  const world = await aHub();
  const { hub, come, comeAs, send, account } = world;
  const [bob, eve] = [await account('bob'), await account('eve')];
  const a = come('Vamshi');
  a.session.wantsReceipts = true;
  comeAs(bob);
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['bob', 'eve'], 'hi')), {
    bob: 'delivered',
    eve: 'stored',
  });
  comeAs(eve);
  await settled(world);
  assert.deepEqual(a.ear.receipts, ['1 eve=delivered']);
  assert.deepEqual(
    outcomesOf(await send(wanting(a.session), 'all', 'all here')),
    { all: 'stored' },
    'the owner is away',
  );
  hub.leave(a.session);
});

test('a message to a machine, alone or among others, is sent to nobody; one to everyone is not for machines', async () => {
  const { come, comeAs, send, machine, hub, owner } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const web1 = comeAs(await machine('web1'));
  const refusal = { refused: 'machine-recipient', names: ['web1'] };
  // Twice: whoever was written to last is remembered.
  for (const to of [['WEB1'], ['WEB1'], ['Janaki', 'web1']]) {
    assert.deepEqual(await send(a.session, to, 'hi'), refusal, to.join());
  }
  assert.equal(refusalOf(await send(a.session, ['web1', 'nobody'], 'hi')), 'unknown-recipient');
  assert.deepEqual([b.texts, web1.texts, hub.head], [[], [], 0]);
  // Everybody has it at once but the machine, which will never have anything.
  hub.leave(web1.session);
  assert.deepEqual(outcomesOf(await send(wanting(owner()), 'all', 'hello')), { all: 'delivered' });
});

test('the same key is the same message, told once; with another text it is refused; a guest has keys of its own', async () => {
  const { hub, come, send } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const first = await send(a.session, ['Janaki'], 'hi', 'k7');
  assert.deepEqual(outcomesOf(first), {});
  const second = await send(wanting(a.session), ['Janaki'], 'hi', 'k7');
  assert.deepEqual([idOf(first), idOf(second)], [1, 1]);
  assert.ok('isRepeat' in second && second.isRepeat && 'isRepeat' in first && !first.isRepeat);
  assert.deepEqual(outcomesOf(second), { Janaki: 'delivered' });
  assert.deepEqual(await send(a.session, ['Janaki'], 'other', 'k7'), { refused: 'key-reused', id: 1 });
  assert.deepEqual(b.texts, ['Vamshi (singlecast) hi']);
  hub.leave(a.session);
  const next = come('Vamshi');
  assert.equal(idOf(await send(next.session, ['Janaki'], 'hi', 'k7')), 2);
});

// ── groups ──
