// What a session can ask of the chat. Recipients are as the person gave them: who they are is the hub's to find out.

export type Command = { type: 'send'; to: 'all' | readonly string[]; text: string };
