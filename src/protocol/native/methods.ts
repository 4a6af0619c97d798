// What may be asked over a native connection, by name. How each question and its answer are read stands in methods/, by
// subject: field by field, everything that is not named there ignored. docs/protocol/native.md describes each method.

export const METHODS = {
  ping: 'ping',
  rpcDiscover: 'rpc.discover',
  serverListening: 'server.listening',
  ownerChallenge: 'owner.challenge',
  ownerProve: 'owner.prove',
  runStart: 'run.start',
  runCancel: 'run.cancel',
  runResize: 'run.resize',
  runList: 'run.list',
  runShow: 'run.show',
  runOutput: 'run.output',
  runShare: 'run.share',
  runAsk: 'run.ask',
  approvalWait: 'approval.wait',
  approvalList: 'approval.list',
  approvalShow: 'approval.show',
  approvalGive: 'approval.give',
  approvalDeny: 'approval.deny',
  loginToken: 'login.token',
  loginPassword: 'login.password',
  loginGuest: 'login.guest',
  loginCode: 'login.code',
  chatSubscribe: 'chat.subscribe',
  chatAck: 'chat.ack',
  chatSend: 'chat.send',
  chatList: 'chat.list',
  chatHistory: 'chat.history',
  chatSearch: 'chat.search',
  groupJoin: 'group.join',
  groupLeave: 'group.leave',
  groupList: 'group.list',
  accountInvite: 'account.invite',
  accountList: 'account.list',
  accountRevoke: 'account.revoke',
  accountPassword: 'account.password',
  hostJoin: 'host.join',
  hostChallenge: 'host.challenge',
  hostProve: 'host.prove',
  hostList: 'host.list',
  hostResolve: 'host.resolve',
  tokenCreate: 'token.create',
  tokenList: 'token.list',
  tokenRemove: 'token.remove',
} as const;

export type MethodName = (typeof METHODS)[keyof typeof METHODS];

/** Codes in `error.data.code`. A code that was retired is never used again. */
export type ErrorCode =
  // what was asked
  | 'unknown-method'
  | 'bad-params'
  | 'too-many-requests'
  | 'closing'
  // who asks
  | 'not-allowed'
  | 'not-loopback'
  | 'not-encrypted'
  | 'no-challenge'
  | 'wrong-proof'
  | 'bad-secret'
  | 'wrong-password'
  | 'already-logged-in'
  | 'bad-name'
  | 'name-reserved'
  | 'name-in-use'
  | 'name-confusable'
  | 'guests-not-let-in'
  // chat
  | 'already-subscribed'
  | 'not-subscribed'
  | 'unknown-recipient'
  | 'all-among-names'
  | 'empty-message'
  | 'text-too-long'
  | 'bad-key'
  | 'key-reused'
  | 'not-stored'
  | 'unreadable'
  | 'bad-group'
  | 'unknown-group'
  | 'not-in-group'
  | 'too-many-groups'
  // accounts
  | 'unknown-account'
  | 'no-account'
  | 'bad-password'
  | 'busy'
  | 'too-many-wrong'
  | 'too-many'
  // runs
  | 'wrong-kind'
  | 'key-taken'
  | 'unknown-host'
  | 'no-targets'
  | 'targets-too-long'
  | 'too-many-targets'
  | 'bad-target'
  | 'only-taken-away'
  | 'no-machine'
  | 'matches-nothing'
  | 'nothing-left'
  | 'offline'
  | 'unknown-verb'
  | 'bad-verb'
  | 'env-not-allowed'
  | 'unknown-run'
  | 'unknown-record'
  | 'needs-approval'
  | 'needs-no-approval'
  | 'too-many-waiting'
  | 'request-too-long'
  | 'unknown-approval'
  | 'approval-over'
  | 'approval-changed'
  | 'approval-used'
  | 'not-approved'
  | 'own-approval'
  | 'may-not-approve'
  | 'stream-number'
  | 'too-many-streams';
