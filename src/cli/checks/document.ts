// docs/checks.md, made of the words of every check: `npm run checks`, held by test/cli/checks.test.ts.
import { CHECK_NAMES, checkText } from './words.js';

const HEAD = `<!-- Made by \`npm run checks\` of src/cli/checks/: not to be written by hand. -->

# Checks

Everything that a client refuses, it refuses by a check that has a name. The name stands in the error (\`error.evidence.check\`), in the
row of the audit log, in the evidence that is kept with it, and in reports; names are added to, and stay. A failure says that what was shown
does not hold. What it says of the server, [the audit log](audit.md#when-an-answer-was-refused) tells: bytes may also have been changed on their
way, and what a witness says is its word.
`;

export function checksDocument(): string {
  let family = '';
  const parts = CHECK_NAMES.flatMap((name) => {
    const of = name.split('.', 1)[0] ?? name;
    const heading = of === family ? [] : [`## ${of}`];
    family = of;
    return [...heading, `<a id="${name}"></a>**\`${name}\`**: ${checkText(name) ?? ''}`];
  });
  return `${[HEAD.trimEnd(), ...parts].join('\n\n')}\n`;
}
