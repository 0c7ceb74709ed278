/** A part of the process's address space. */
export interface Mapping {
  readonly address: bigint;
  readonly bytes: bigint;
}

/** `7f00-7f10 r-xp 00001000 fe:00 4277870   /usr/lib/…`: inode 0 is no file. */
const HEAD = /^(?<from>[0-9a-f]+)-(?<to>[0-9a-f]+) (?<mode>\S{4}) \S+ \S+ (?<inode>\d+)/;
/** Private, and not to be written to: program text and constants. */
const READ_ONLY = /^r-[x-]p$/;
const UNWRITTEN = /^Anonymous: +0 kB$/;

/**
 * The mappings of files that hold nothing but what the files hold: read-only, private, and no page of them was ever
 * written to, as a relocation or a debugger's breakpoint would. Dropped, they come back from the file.
 * @param smaps text of `/proc/self/smaps` (proc_pid_smaps(5))
 */
export function cleanMappings(smaps: string): readonly Mapping[] {
  const clean: Mapping[] = [];
  let open: Mapping | null = null;
  for (const line of smaps.split('\n')) {
    const head = HEAD.exec(line)?.groups;
    if (head !== undefined) {
      const { from = '', to = '', mode = '', inode = '' } = head;
      const address = BigInt(`0x${from}`);
      open = READ_ONLY.test(mode) && inode !== '0' ? { address, bytes: BigInt(`0x${to}`) - address } : null;
    } else if (open !== null && UNWRITTEN.test(line)) {
      clean.push(open);
      open = null;
    }
  }
  return clean;
}
