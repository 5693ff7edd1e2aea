// One request as JSON a line of standard input, one answer a line of standard output.
import { createInterface } from 'node:readline';

export async function answerWith(actions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { action, ...parameters } = JSON.parse(line);
    let answer;
    try {
      answer = await actions[action](parameters);
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
