// BullMQ's side of the queue rival: `worker PORT` works, `sender PORT` reads "<all|each> <number>" lines and answers with JSON.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { Queue, QueueEvents, Worker } = createRequire(`${process.cwd()}/`)('bullmq');
const [role, port] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const NAME = 'noop';

async function finished(job, began, events) {
  await job.waitUntilFinished(events);
  const known = performance.now() - began;
  const ended = await Queue.prototype.getJob.call(queue, job.id);
  return { known, recorded: ended.finishedOn - ended.timestamp };
}

let queue;

async function each(number, events) {
  const found = [];
  for (let count = 0; count < number; count += 1) {
    const began = performance.now();
    found.push(await finished(await queue.add(NAME, { count }), began, events));
  }
  return { known: found.map((one) => one.known), recorded: found.map((one) => one.recorded) };
}

async function all(number, events) {
  const began = performance.now();
  const jobs = await Promise.all(Array.from({ length: number }, (_, count) => queue.add(NAME, { count })));
  await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
  return { seconds: (performance.now() - began) / 1000 };
}

if (role === 'worker') {
  const worker = new Worker(NAME, async () => null, { connection, concurrency: 1 });
  await worker.waitUntilReady();
  console.log('ready');
} else {
  queue = new Queue(NAME, { connection });
  const events = new QueueEvents(NAME, { connection });
  events.setMaxListeners(0);
  await events.waitUntilReady();
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [how, number] = line.split(' ');
    const answer = await (how === 'all' ? all : each)(Number(number), events);
    console.log(JSON.stringify(answer));
  }
  process.exit(0);
}
