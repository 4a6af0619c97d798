// What a session can ask of the hub. Names are as the person gave them: who they are is the hub's to find out.

export type Command =
  | {
      readonly type: 'send';
      readonly to: 'all' | readonly string[];
      readonly text: string;
      /** The sender's own name for this message: sent again under it, it is still one message. */
      readonly key?: string;
    }
  /** `machine`: which is put in, or taken out; undefined: oneself. */
  | { readonly type: 'join' | 'leave'; readonly group: string; readonly machine?: string };
