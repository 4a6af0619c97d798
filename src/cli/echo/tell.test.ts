import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError, UnreachableError, type Client, type HistoryWishes, type Sent } from '../../client/mod.ts';
import { Teller } from './tell.ts';

type Sending = [to: unknown, text: string, key: string | undefined];

/** What a client does of which only this is used. */
const client = (send: (...sending: Sending) => void): Client => {
  const sent: Sent = { id: 1, at: '', to: new Map(), repeat: false };
  const part = {
    send: async (to: unknown, text: string, { key }: { key?: string } = {}) => {
      send(to, text, key);
      return sent;
    },
    [Symbol.asyncDispose]: async () => {},
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return part as unknown as Client;
};

function aTeller(connects: (() => Client)[]) {
  const complaints: string[] = [];
  const connect = async () => (connects.shift() ?? assert.fail('it connected once more'))();
  return {
    teller: new Teller({ names: ['bob', '#ops'], connect, complain: (line) => complaints.push(line) }),
    complaints,
  };
}

test('a name that there is not is said at the start, and so is that nobody may come in', async () => {
  const knows = (known: readonly string[]) => () => {
    const part = {
      history: ({ with: name = '', onUnknown }: HistoryWishes) => ({
        next: async () => {
          if (!known.includes(name)) onUnknown?.();
        },
      }),
      [Symbol.asyncDispose]: async () => {},
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a client does of which only this is used
    return part as unknown as Client;
  };
  const closed = () => {
    throw new RefusedError('no-credential', 'Cannot come in');
  };
  const { teller, complaints } = aTeller([knows(['bob', '#ops']), knows(['bob']), closed]);
  await teller.check();
  assert.deepEqual(complaints, []);
  await teller.check();
  await teller.check();
  assert.deepEqual(complaints, [
    'There is nobody and no group named "#ops"; bob, #ops will not be told, and the watch goes on',
    'Cannot come in; bob, #ops will not be told, and the watch goes on',
  ]);
});

test('where there is no news nobody connects', async () => {
  const { teller, complaints } = aTeller([]);
  await teller.flush();
  assert.deepEqual(complaints, []);
});

test('what a server that was away was to be told is told later, once, in order', async () => {
  const sent: Sending[] = [];
  const away = () => {
    throw new UnreachableError('Cannot connect');
  };
  const here = () => client((...sending) => sent.push(sending));
  const { teller, complaints } = aTeller([away, here]);
  teller.add('one');
  await teller.flush();
  assert.deepEqual([sent, complaints], [[], ['Cannot connect; bob, #ops were not told']]);
  teller.add('two');
  await teller.flush();
  await teller.flush();
  assert.deepEqual(
    sent.map(([to, text]) => [to, text]),
    [
      [['bob', '#ops'], 'one'],
      [['bob', '#ops'], 'two'],
    ],
  );
});

test('a message that may have been sent before the connection broke is sent with the same key', async () => {
  const keys: (string | undefined)[] = [];
  const breaking = () =>
    client((_to, _text, key) => {
      keys.push(key);
      throw new UnreachableError('gone');
    });
  const { teller } = aTeller([breaking, () => client((_to, _text, key) => keys.push(key))]);
  teller.add('one');
  await teller.flush();
  await teller.flush();
  assert.equal(keys.length, 2);
  assert.ok(keys[0] !== undefined && keys[0] === keys[1]);
});

test('what is refused is said and dropped', async () => {
  const refusing = () =>
    client(() => {
      throw new RefusedError('unknown-name', 'Cannot send: nobody named "bob" is here or has an account');
    });
  const { teller, complaints } = aTeller([refusing]);
  teller.add('one');
  await teller.flush();
  await teller.flush();
  assert.deepEqual(complaints, ['Cannot send: nobody named "bob" is here or has an account; bob, #ops were not told']);
});

test('only so much is kept for a server that stays away', async () => {
  const texts: string[] = [];
  const { teller } = aTeller([() => client((_to, text) => texts.push(text))]);
  for (let news = 0; news < 50; news++) teller.add(`${news}`);
  await teller.flush();
  assert.deepEqual([texts.length, texts[0], texts.at(-1)], [20, '30', '49']);
});

test('what is new while something is sent goes with it, on the same connection', async () => {
  const texts: string[] = [];
  const { teller } = aTeller([
    () =>
      client((_to, text) => {
        texts.push(text);
        if (text !== '0') return;
        for (let news = 1; news <= 20; news++) teller.add(`${news}`);
        void teller.flush();
      }),
  ]);
  teller.add('0');
  await teller.flush();
  assert.deepEqual(
    texts,
    Array.from({ length: 21 }, (_, news) => `${news}`),
  );
});
