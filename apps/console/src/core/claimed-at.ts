/** A time that an agent says of itself, but no later than the broker took its event: else it could stand first for ever. */
export const claimedAt = (claimed: string, takenAt: string | undefined): string =>
  takenAt !== undefined && claimed > takenAt ? takenAt : claimed;
