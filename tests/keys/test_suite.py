from tapekey.keys.suite import HPKE, WRAPPED_SIZE, Suite

NUMBERS = {
    "RSA_OAEP_SHA256": 1,
    "HPKE_X25519": 2,
    "HPKE_P256": 3,
    "HPKE_P384": 4,
    "HPKE_MLKEM768_X25519": 5,
    "HPKE_MLKEM1024_P384": 6,
    "AES_KW": 7,
}


def test_numbers_are_those_of_the_format() -> None:
    assert {suite.name: suite.value for suite in Suite} == NUMBERS


def test_only_public_keys_without_lattice_are_classical() -> None:
    assert {suite for suite in Suite if suite.classical} == set(Suite) - {
        Suite.AES_KW,
        Suite.HPKE_MLKEM768_X25519,
        Suite.HPKE_MLKEM1024_P384,
    }


def test_every_suite_has_a_size_and_all_but_two_are_hpke() -> None:
    assert set(WRAPPED_SIZE) == set(Suite)
    assert set(Suite) - set(HPKE) == {Suite.RSA_OAEP_SHA256, Suite.AES_KW}
