// What `limits` says: each bound that somebody at the other end may meet, with its unit.

import { MAX_GROUPS_OF_ONE } from '../../core/chat/group.ts';
import { MAX_KEY_CHARACTERS } from '../../core/chat/send.ts';
import { MAX_NAME_CODE_POINTS } from '../../core/name.ts';
import { MIN_PASSWORD_CODE_POINTS } from '../../core/password.ts';
import { MAX_LINE_BYTES } from '../../protocol/line/decoder.ts';

/** Commands that one session may have running at once. */
export const MAX_RUNS = 16;
/** Messages of one answer to `history`. */
export const MAX_PAST_MESSAGES = 1_000;

export const LIMITS = [
  `line: ${MAX_LINE_BYTES} bytes`,
  `name: ${MAX_NAME_CODE_POINTS} characters`,
  `password: at least ${MIN_PASSWORD_CODE_POINTS} characters`,
  `key of a message: ${MAX_KEY_CHARACTERS} characters, remembered for a day`,
  `messages of one history answer: ${MAX_PAST_MESSAGES}`,
  `groups of one member: ${MAX_GROUPS_OF_ONE}`,
  `commands running at once: ${MAX_RUNS}`,
  '',
].join('\n');
