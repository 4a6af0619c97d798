import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { aName } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { PLAIN } from '../core/run/record.ts';
import { Writer } from './writer.ts';

test('the end of a run is behind until it is synced, by itself or with the start of another', (t) => {
  const writer = new Writer(join(aDirectory(t), 'journal'));
  t.after(() => writer.close());
  const who = { by: 1, byName: aName('Bob').name, address: '::1' };
  const command = { kind: 'shell', line: 'ls' } as const;
  const start = () =>
    writer.record([{ type: 'started', run: 1, atMs: 1, ...who, host: 'Server', command, setting: PLAIN }]);
  const end = (started: number) => {
    const result = { result: 'exited', status: 0 } as const;
    return writer.record([{ type: 'ended', run: 1, start: started, atMs: 2, result, streams: undefined }]);
  };
  start();
  assert.equal(writer.isBehind, false);
  end(1);
  assert.equal(writer.isBehind, true);
  start();
  assert.equal(writer.isBehind, false, 'a start that is durable takes with it what was before');
  end(3);
  assert.equal(end(3).wrote.state, 'unchanged');
  assert.equal(writer.isBehind, true, 'what could not be written has synced nothing');
  writer.sync();
  assert.equal(writer.isBehind, false);
});
