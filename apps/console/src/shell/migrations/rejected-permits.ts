import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The few permits that an executor rejected are found among all activities. */
export class RejectedPermits1764600000961 implements MigrationInterface {
  name = 'RejectedPermits1764600000961';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE INDEX activities_rejected_permits ON activities (at) WHERE type = 'PermitRejected'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX activities_rejected_permits');
  }
}
