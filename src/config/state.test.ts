import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { stateDirectory } from './state.ts';

test('PARTYLINE_DATA comes first, then the XDG state directory, then the home directory', () => {
  assert.equal(stateDirectory({ PARTYLINE_DATA: '/srv/p', XDG_STATE_HOME: '/x' }, 'linux'), '/srv/p');
  assert.equal(stateDirectory({ XDG_STATE_HOME: '/x' }, 'linux'), '/x/partyline');
  assert.equal(stateDirectory({}, 'linux'), `${homedir()}/.local/state/partyline`);
});

test('a relative XDG_STATE_HOME is ignored, as its specification asks', () => {
  assert.equal(stateDirectory({ XDG_STATE_HOME: 'x' }, 'linux'), `${homedir()}/.local/state/partyline`);
});
