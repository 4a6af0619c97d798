// What the server says, on two channels that never mix. The console (stdout) is the contract's: a line for each thing
// an operator watches. The log (stderr) is for finding out why: events with fields, two lines in the life of a
// connection. Neither ever holds the text of a message or a secret.

/** Something the console tells: words for people, fields for `--json`. */
export interface ConsoleEvent {
  readonly event: string;
  readonly text: string;
  readonly [field: string]: string | number | boolean;
}

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  /** One line on stdout. */
  tell(event: ConsoleEvent): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
}
