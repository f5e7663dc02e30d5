// The demo as a child process: starts it on the ports it finds free, reads the addresses it prints, ends it.

import { spawn } from 'node:child_process';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;

/** `{ site, office, signal, stop }`; the folder keeps what happened over a restart. */
export async function startDemo(binary, data, more = []) {
  const child = spawn(binary, ['demo', '--data', data, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const ended = new Promise((done) => child.once('exit', done));
  const addresses = new Promise((done, fail) => {
    const hear = (chunk) => {
      said += chunk;
      const [site, office] = said.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? [];
      if (site && office) done({ site, office });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', fail);
    ended.then((code) => fail(new Error(`the demo ended with ${code}:\n${said}`)));
    setTimeout(() => fail(new Error(`the demo printed no addresses in ${START_LIMIT_MS} ms:\n${said}`)), START_LIMIT_MS).unref();
  });
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    const last = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(last);
  };
  try {
    return { ...(await addresses), signal: (name) => child.kill(name), stop };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
}
