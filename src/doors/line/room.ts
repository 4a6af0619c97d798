// What a connection of the line door needs of its door, and the door of the house.

import type { Said } from '../../core/event.ts';
import type { OwnerCredential } from '../../core/ports.ts';
import type { Outlet } from '../../core/session.ts';
import type { House as AnyHouse } from '../shared/house.ts';
import type { LineConnection } from './connection.ts';
import type { Fanout, Lane } from './fanout.ts';

export interface House extends AnyHouse {
  readonly owner: OwnerCredential;
}

export interface LineRoom extends Outlet {
  readonly house: House;
  readonly fanout: Fanout;
  /** The same words for everyone who is told the same. */
  wordsFor(said: Said): string;
  /** The same with the message's id, for those who want to know. */
  markedWordsFor(said: Said): string;
  /** Whether the connection wants ids with the messages. */
  mark(connection: LineConnection, wantsIds: boolean): void;
  /** The connection has a name now, or has gone. */
  named(connection: Lane): void;
  forget(connection: Lane): void;
}
