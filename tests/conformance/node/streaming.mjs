// What the scripts of streaming clients share: settings as argument, happenings as JSON lines on standard output,
// commands as JSON lines on standard input.
import { createInterface } from "node:readline";

export const settings = JSON.parse(process.argv[2]);

export const tell = (what, more = {}) => process.stdout.write(`${JSON.stringify({ what, ...more })}\n`);

// Runs a command for each line: {"do": name, …}; ends with the input, so that no process is left behind.
export const obey = (commands) => {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const { do: name, ...given } = JSON.parse(line);
    commands[name](given);
  });
  lines.on("close", () => process.exit(0));
};
