// By whom an account was invited is said by number: a name can become another's. Of the names there were until now only the
// owner's could change, so one that no earlier account has was the owner's.

export const INVITER = `
ALTER TABLE account ADD COLUMN inviter INTEGER REFERENCES account (id);
UPDATE account SET inviter = ifnull(
    (SELECT max(by.id) FROM account by WHERE by.name = account.invited_by AND by.id < account.id),
    (SELECT by.id FROM account by WHERE by.role = 'owner' LIMIT 1))
  WHERE invited_by IS NOT NULL;
ALTER TABLE account DROP COLUMN invited_by;
`;
