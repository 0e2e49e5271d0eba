/**
 * Waiting lines side by side, one for each rank; the lowest rank is served first, each line from its front. Removal marks
 * a ticket and leaves it in its line, so that it costs the same however long the line is.
 */
export interface Lanes<T extends object> {
  size(): number;
  push(item: T, rank: number): void;
  pushFront(item: T, rank: number): void;
  take(): T | undefined;
  remove(item: T): boolean;
  /** The front of each line. */
  fronts(): T[];
}

interface Ticket<T> {
  readonly item: T;
  waiting: boolean;
}

interface Lane<T> {
  readonly rank: number;
  tickets: Ticket<T>[];
  front: number;
}

/** Served places are given back in steps of this size. */
const trimAfter = 1024;

export function createLanes<T extends object>(): Lanes<T> {
  const lanes: Lane<T>[] = [];
  const waiting = new Map<T, Ticket<T>>();

  function laneOf(rank: number): Lane<T> {
    const found = lanes.find((lane) => lane.rank === rank);
    if (found !== undefined) return found;
    const lane: Lane<T> = { rank, tickets: [], front: 0 };
    lanes.push(lane);
    lanes.sort((a, b) => a.rank - b.rank);
    return lane;
  }

  function newTicket(item: T): Ticket<T> {
    const ticket = { item, waiting: true };
    waiting.set(item, ticket);
    return ticket;
  }

  function frontOf(lane: Lane<T>): T | undefined {
    while (lane.front < lane.tickets.length && !lane.tickets[lane.front]!.waiting) lane.front++;
    if (lane.front >= trimAfter || lane.front === lane.tickets.length) {
      lane.tickets = lane.tickets.slice(lane.front);
      lane.front = 0;
    }
    return lane.tickets[lane.front]?.item;
  }

  function remove(item: T): boolean {
    const ticket = waiting.get(item);
    if (ticket === undefined) return false;
    ticket.waiting = false;
    return waiting.delete(item);
  }

  return {
    size: () => waiting.size,
    push: (item, rank) => void laneOf(rank).tickets.push(newTicket(item)),
    pushFront(item, rank) {
      const lane = laneOf(rank);
      lane.tickets.splice(lane.front, 0, newTicket(item));
    },
    take() {
      for (const lane of lanes) {
        const item = frontOf(lane);
        if (item !== undefined) {
          remove(item);
          return item;
        }
      }
      return undefined;
    },
    remove,
    fronts: () => lanes.map(frontOf).filter((item) => item !== undefined),
  };
}
