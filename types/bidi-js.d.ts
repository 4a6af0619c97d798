// What is used of bidi-js. Its own declarations say `export default` of a CommonJS module whose `module.exports` is
// the function itself, which TypeScript, resolving as Node does, takes for an object.
declare module 'bidi-js' {
  function bidiFactory(): { getBidiCharTypeName(character: string): string };
  export = bidiFactory;
}
