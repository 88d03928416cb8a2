import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const STATEMENT = /\b(import|export)( type)? \{([^}]*)\} from '(\.[^']+)'/g;
const INLINE = /\bimport\("(\.[^"]+)"\)\.(\w+)/g;

/**
 * Rewrites the imports of the declarations in a folder: from the door of a room, its index, to the file that declares the name. The
 * compiler of a user then reads only the declarations that it needs: others may need packages, or Node's types, that the user lacks.
 */
export function bypassDoors(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.d.ts'));
  for (const name of files) {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    const direct = text
      .replaceAll(STATEMENT, (statement, verb, type = '', names, source) => {
        if (!source.endsWith('/index.ts')) return statement;
        return rewrite({ verb, type, names, source, file });
      })
      .replaceAll(INLINE, (_, source, exported) => {
        const found = find(path.resolve(path.dirname(file), source), exported);
        return `import("${specifier(file, found.file)}").${found.name}`;
      });
    if (direct !== text) writeFileSync(file, direct);
  }
}

/** One statement for each file that declares some of the names. */
function rewrite({ verb, type, names, source, file }) {
  const bySource = new Map();
  for (const part of names.split(',').filter((one) => one.trim() !== '')) {
    const [, modifier = '', exported, local = exported] = /^\s*(type )?(\w+)(?: as (\w+))?\s*$/.exec(part);
    const found = find(path.resolve(path.dirname(file), source), exported);
    const renamed = found.name === local ? local : `${found.name} as ${local}`;
    const target = specifier(file, found.file);
    bySource.set(target, [...(bySource.get(target) ?? []), `${modifier}${renamed}`]);
  }
  return [...bySource]
    .map(([target, parts]) => `${verb}${type} { ${parts.join(', ')} } from '${target}'`)
    .join(';\n');
}

/** The file that declares what a file exports by this name, and the name there. */
function find(source, name) {
  const declarations = source.replace(/\.ts$/, '.d.ts');
  if (!declarations.endsWith('/index.d.ts') || !existsSync(declarations)) return { file: source, name };
  for (const [, verb, , names, from] of readFileSync(declarations, 'utf8').matchAll(STATEMENT)) {
    for (const part of names.split(',')) {
      const [, original, exported = original] = /(\w+)(?: as (\w+))?\s*$/.exec(part) ?? [];
      if (verb === 'export' && exported === name) {
        return find(path.resolve(path.dirname(source), from), original);
      }
    }
  }
  return { file: source, name };
}

function specifier(from, to) {
  const relative = path.relative(path.dirname(from), to).split(path.sep).join('/');
  return relative.startsWith('.') ? relative : `./${relative}`;
}
