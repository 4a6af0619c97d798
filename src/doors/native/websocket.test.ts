// WebSockets at the native door: who gets one, and what may come on it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { at, LOOPBACKS } from '../../../test/kit/server.ts';
import { encodeFrame } from '../../protocol/native/frame.ts';

/** Asks as a browser does, and gives the answer or `upgraded`. */
async function knock(host: string, port: number, headers: object): Promise<string> {
  const asked = request({
    host,
    port,
    path: '/native',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Protocol': 'partyline.v1',
      ...headers,
    },
  }).end();
  return await new Promise<string>((resolve, reject) => {
    asked.once('response', ({ statusCode }: IncomingMessage) => {
      resolve(`${statusCode}`);
      asked.destroy();
    });
    asked.once('upgrade', ({ headers: chosen }: IncomingMessage, socket: Socket) => {
      resolve(`upgraded to ${chosen['sec-websocket-protocol']}`);
      socket.destroy();
    });
    asked.on('error', reject);
  });
}

async function opened(host: string, port: number): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://${at(host, port)}/native`, ['partyline.v9', 'partyline.v1']);
  webSocket.binaryType = 'arraybuffer';
  await new Promise((resolve) => webSocket.addEventListener('open', resolve, { once: true }));
  return webSocket;
}

async function closing(webSocket: WebSocket): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  webSocket.addEventListener('close', ({ code }) => resolve(code), { once: true });
  return await promise;
}

for (const host of LOOPBACKS) {
  test(`a program and a page of this server get a WebSocket, another page none: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const { port } = house.web;
    assert.equal(await knock(host, port, {}), 'upgraded to partyline.v1');
    assert.equal(await knock(host, port, { Origin: `http://${at(host, port)}` }), 'upgraded to partyline.v1');
    assert.equal(await knock(host, port, { Origin: `http://localhost:${port}` }), 'upgraded to partyline.v1');
    assert.equal(await knock(host, port, { Origin: 'http://evil.example' }), '403');
    assert.equal(await knock(host, port, { Host: `evil.example:${port}` }), '421');
    assert.equal(await knock(host, port, { 'Sec-WebSocket-Protocol': 'partyline.v2' }), '400');
    assert.equal(await knock(host, port, { 'Sec-WebSocket-Version': '7' }), '400');
    assert.equal(await knock(host, port, { Upgrade: 'h2c' }), '404', 'any other upgrade is not heard');
  });

  test(`one binary message is one frame, and anything else ends the connection: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const { port } = house.web;
    const ping = encodeFrame({ kind: 'control', text: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
    const fine = await opened(host, port);
    assert.equal(fine.protocol, 'partyline.v1');
    const answered = new Promise<ArrayBuffer>((resolve) =>
      fine.addEventListener('message', ({ data }) => resolve(data), { once: true }),
    );
    fine.send(Uint8Array.from(ping));
    assert.equal(
      Buffer.from(await answered)
        .subarray(8)
        .toString(),
      '{"jsonrpc":"2.0","id":1,"result":{}}',
    );
    fine.close();
    const wrong: [string | Uint8Array<ArrayBuffer>, number][] = [
      ['text', 1_003],
      [Uint8Array.from(Buffer.concat([ping, ping])), 1_000],
      [new Uint8Array(2_000_000), 1_009],
    ];
    for (const [message, code] of wrong) {
      const webSocket = await opened(host, port);
      const closed = closing(webSocket);
      webSocket.send(message);
      assert.equal(await closed, code);
    }
    assert.deepEqual(house.warned, ['native connection broke the rules']);
  });

  test(`a closing door says goodbye on a WebSocket too: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const talker = await house.guest('Vamshi', 'WebSocket');
    await house.door.close(new AbortController().signal);
    assert.deepEqual(await talker.closed(), { reason: 'the server is closing' });
  });
}
