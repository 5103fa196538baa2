select became, ends_at
from new_pairing_code(%(shop)s, %(code_sha256)s, %(lifetime)s, %(open_max)s);
