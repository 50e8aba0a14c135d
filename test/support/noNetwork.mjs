// Preloaded into every process of a test: whatever wants to reach a network is written down, and fails.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const record = process.env.BATCH_PLANNER_TEST_NETWORK;

function refuse(what) {
  appendFileSync(record, `${what} (${process.argv.slice(1).join(' ')})\n`);
  throw new Error(`no network in this test: ${what}`);
}

// So that a test knows that this file was loaded where it was meant to be.
appendFileSync(`${record}.loaded`, `${process.argv[1]}\n`);

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function connectLocally(...words) {
  const [first] = [words].flat(2);
  const isLocal =
    typeof first === 'object' && first !== null ? first.path !== undefined : typeof first === 'string';
  return isLocal ? connect.apply(this, words) : refuse(`a connection to ${JSON.stringify(first)}`);
};
for (const holder of [dns, dns.promises]) {
  for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6']) {
    holder[name] = (host) => refuse(`the address of ${host}`);
  }
}
dgram.Socket.prototype.send = () => refuse('a datagram');
globalThis.fetch = (address) => refuse(`a fetch of ${address}`);
syncBuiltinESMExports();
