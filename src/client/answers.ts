// What a server answers, as programs see it.

import type { accountInvite, accountList } from '../protocol/native/methods/account.ts';
import type { approvalList, approvalShow } from '../protocol/native/methods/approval.ts';
import type { chatList, chatSend } from '../protocol/native/methods/chat.ts';
import type { runDetach } from '../protocol/native/methods/detached.ts';
import type { groupList } from '../protocol/native/methods/group.ts';
import type { hostList, hostResolve } from '../protocol/native/methods/host.ts';
import type { chatSearch } from '../protocol/native/methods/past.ts';
import type { runList, runShow } from '../protocol/native/methods/records.ts';
import type { tokenList } from '../protocol/native/methods/token.ts';

export type ResultOf<Known extends { parseResult(result: unknown): unknown }> = Exclude<
  ReturnType<Known['parseResult']>,
  undefined
>;

/** `to` says for each name what became of it. */
export interface Sent extends Omit<ResultOf<typeof chatSend>, 'to'> {
  readonly to: ReadonlyMap<string, 'delivered' | 'stored'>;
}
export type Present = ResultOf<typeof chatList>['members'][number];
export type Group = ResultOf<typeof groupList>['groups'][number];
/** A request that waits for approval, in short and as a whole. */
export type Waiting = ResultOf<typeof approvalList>['approvals'][number];
export type Request = ResultOf<typeof approvalShow>;
export type Host = ResultOf<typeof hostList>['hosts'][number];
export type Found = ResultOf<typeof chatSearch>;
export type RunRecord = ResultOf<typeof runList>['runs'][number];
export type RunDetails = Omit<ResultOf<typeof runShow>, 'next' | 'hostsLeftOut'>;
/** The machines that targets mean, and whether somebody else has to approve the command first. */
export type Resolved = ResultOf<typeof hostResolve>;
export type Detached = ResultOf<typeof runDetach>;
export type Invitation = ResultOf<typeof accountInvite>;
export type Accounts = Omit<ResultOf<typeof accountList>, 'next'>;
export type Token = ResultOf<typeof tokenList>['tokens'][number];

/** URLs, as the console of the server has them. */
export interface Listening {
  readonly urls: readonly string[];
  /** Of each name of `serve --listen`. */
  readonly names: readonly string[];
}
