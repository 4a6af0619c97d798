import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Presence, Said } from './event.ts';
import { Hub, type HubOptions } from './hub.ts';
import type { Outlet, Session } from './session.ts';

/** A hub with one door, and for each name what it heard. */
function aHub(options: Partial<HubOptions> = {}) {
  const presence: string[] = [];
  const heard = new Map<Session, string[]>();
  const outlet: Outlet = {
    broadcast(said, except) {
      for (const [session, texts] of heard) if (!except.includes(session)) texts.push(worded(said));
    },
  };
  const hub = new Hub({
    serverName: 'Server',
    ownerName: 'owner',
    onPresence: ({ type, name }: Presence) => presence.push(`${name} ${type}`),
    ...options,
  });
  const entrance = (isLoopback = true) => {
    const texts: string[] = [];
    return { texts, listener: { deliver: (said: Said) => texts.push(worded(said)) }, outlet, isLoopback };
  };
  const come = (name: string): { session: Session; texts: string[] } => {
    const { texts, ...door } = entrance();
    const session = hub.enter(name, door);
    assert.ok(!('refused' in session), `${name} was refused`);
    heard.set(session, texts);
    return { session, texts };
  };
  const refusalOf = (name: string, isLoopback = true) => {
    const { texts: _, ...door } = entrance(isLoopback);
    const session = hub.enter(name, door);
    return 'refused' in session ? session.refused : undefined;
  };
  const leave = (session: Session) => {
    hub.leave(session);
    heard.delete(session);
  };
  return { hub, come, leave, refusalOf, presence, entrance };
}

function worded({ from, cast, text }: Said): string {
  return `${from} (${cast}) ${text}`;
}

const NOW = 1_608_235_613_000;

test('a broadcast reaches everyone present but the sender', () => {
  const { hub, come } = aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  assert.equal(hub.handle(a.session, { type: 'send', to: 'all', text: 'hello' }, NOW), undefined);
  assert.deepEqual([a.texts, b.texts, c.texts], [[], ['Vamshi (broadcast) hello'], ['Vamshi (broadcast) hello']]);
});

test('a broadcast when nobody else is there is accepted', () => {
  const { hub, come } = aHub();
  assert.equal(hub.handle(come('Vamshi').session, { type: 'send', to: 'all', text: 'hello' }, NOW), undefined);
});

test('one recipient is a singlecast, several a multicast, counted after duplicates and spellings are merged', () => {
  const { hub, come } = aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  hub.handle(a.session, { type: 'send', to: ['janaki', 'JANAKI'], text: 'one' }, NOW);
  hub.handle(a.session, { type: 'send', to: ['Janaki', 'Prashanth', 'Janaki'], text: 'two' }, NOW);
  hub.handle(a.session, { type: 'send', to: ['Vamshi'], text: 'myself' }, NOW);
  assert.deepEqual(b.texts, ['Vamshi (singlecast) one', 'Vamshi (multicast) two']);
  assert.deepEqual(c.texts, ['Vamshi (multicast) two']);
  assert.deepEqual(a.texts, ['Vamshi (singlecast) myself']);
});

test('a message to several of whom one is unknown is sent to nobody and names the unknown', () => {
  const { hub, come } = aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const refusal = hub.handle(a.session, { type: 'send', to: ['Janaki', 'Bob', '-x'], text: 'hi' }, NOW);
  assert.deepEqual(refusal, { refused: 'unknown-recipient', names: ['Bob', '-x'] });
  assert.deepEqual(b.texts, []);
});

test('all among names, and an empty message, are refused', () => {
  const { hub, come } = aHub();
  const { session } = come('Vamshi');
  assert.equal(
    hub.handle(session, { type: 'send', to: ['Vamshi', 'All'], text: 'hi' }, NOW)?.refused,
    'all-among-names',
  );
  assert.equal(hub.handle(session, { type: 'send', to: 'all', text: '' }, NOW)?.refused, 'empty-message');
  assert.equal(hub.handle(session, { type: 'send', to: ['Vamshi'], text: '' }, NOW)?.refused, 'empty-message');
});

test('a name belongs to one at a time, in every spelling, and is free again afterwards', () => {
  const { hub, come, leave, refusalOf, presence } = aHub();
  const { session } = come('Vamshi');
  assert.equal(refusalOf('vAMSHI'), 'name-in-use');
  leave(session);
  hub.leave(session);
  come('vamshi');
  assert.deepEqual(presence, ['Vamshi arrived', 'Vamshi left', 'vamshi arrived']);
});

test('all, the server and the owner are reserved in every spelling; what is no name is refused', () => {
  const { refusalOf } = aHub({ serverName: 'Lab', ownerName: 'boss' });
  for (const name of ['all', 'ALL', 'lab', 'Boss']) assert.equal(refusalOf(name), 'name-reserved', name);
  for (const name of ['', 'a b', '-a', 'a:b', 'x'.repeat(33)]) assert.equal(refusalOf(name), 'bad-name', name);
  assert.equal(refusalOf('server'), undefined);
});

test('guests from beyond loopback are let in by an open server only', () => {
  assert.equal(aHub().refusalOf('eve', false), 'guests-not-let-in');
  assert.equal(aHub({ isOpen: true }).refusalOf('eve', false), undefined);
});

test('the list is in order of arrival', () => {
  const { hub, come, leave } = aHub();
  const first = come('Vamshi');
  come('Janaki');
  come('Prashanth');
  leave(first.session);
  come('Varshittha');
  assert.deepEqual(hub.list(), ['Janaki', 'Prashanth', 'Varshittha']);
});

test('the owner may be here several times, hears everywhere, and has left with the last session', () => {
  const { hub, come, presence, entrance } = aHub();
  const guest = come('Vamshi');
  const [one, two] = [entrance(), entrance()];
  const first = hub.enterAsOwner(one);
  const second = hub.enterAsOwner(two);
  assert.equal(first.role, 'owner');
  hub.handle(guest.session, { type: 'send', to: ['owner'], text: 'hi' }, NOW);
  assert.deepEqual([one.texts, two.texts], [['Vamshi (singlecast) hi'], ['Vamshi (singlecast) hi']]);
  assert.deepEqual(hub.list(), ['Vamshi', 'owner']);
  hub.leave(first);
  assert.deepEqual(hub.list(), ['Vamshi', 'owner']);
  hub.leave(second);
  assert.deepEqual(presence, ['Vamshi arrived', 'owner arrived', 'owner left']);
});
