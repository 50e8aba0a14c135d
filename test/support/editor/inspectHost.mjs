// Looks into a running extension host through Node's inspector: `node inspectHost.mjs PID`, then one JavaScript expression a
// line on stdin; each answer is one line of JSON on stdout. Needs a Node with a WebSocket of its own (22 or newer).
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const pid = Number(process.argv[2]);

/** The inspector that a process opens when it gets SIGUSR1. */
async function socketOf() {
  process.kill(pid, 'SIGUSR1');
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      const targets = await (await fetch('http://127.0.0.1:9229/json/list')).json();
      const socket = new WebSocket(targets[0].webSocketDebuggerUrl);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      return socket;
    } catch (error) {
      if (attempt === 99) throw error;
      await sleep(100);
    }
  }
  throw new Error('no inspector');
}

const socket = await socketOf();
const waiting = new Map();
socket.onmessage = ({ data }) => {
  const { id, result } = JSON.parse(data);
  waiting.get(id)?.(result);
  waiting.delete(id);
};
let last = 0;
const lines = createInterface({ input: process.stdin });
console.log(JSON.stringify('ready'));
for await (const expression of lines) {
  const id = ++last;
  const result = await new Promise((resolve) => {
    waiting.set(id, resolve);
    const params = { expression, returnByValue: true, awaitPromise: true };
    socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
  });
  const failure = result.exceptionDetails?.exception?.description;
  console.log(JSON.stringify(failure === undefined ? { value: result.result.value ?? null } : { failure }));
}
socket.close();
