/** H4 packet indicators (Core Specification 5.4, Vol 4, Part A, §2). */
export const H4_COMMAND = 0x01;
export const H4_ACL = 0x02;
export const H4_EVENT = 0x04;

/** Command opcodes (Vol 4, Part E, §7). */
export const DISCONNECT = 0x0406;
export const SET_EVENT_MASK = 0x0c01;
export const RESET = 0x0c03;
export const READ_LE_HOST_SUPPORT = 0x0c6c;
export const WRITE_LE_HOST_SUPPORT = 0x0c6d;
export const READ_LOCAL_VERSION = 0x1001;
export const READ_LOCAL_SUPPORTED_COMMANDS = 0x1002;
export const READ_LOCAL_FEATURES = 0x1003;
export const READ_BUFFER_SIZE = 0x1005;
export const READ_BD_ADDR = 0x1009;
export const READ_RSSI = 0x1405;
export const LE_SET_EVENT_MASK = 0x2001;
export const LE_READ_BUFFER_SIZE = 0x2002;
export const LE_READ_LOCAL_FEATURES = 0x2003;
export const LE_SET_RANDOM_ADDRESS = 0x2005;
export const LE_SET_SCAN_PARAMETERS = 0x200b;
export const LE_SET_SCAN_ENABLE = 0x200c;
export const LE_CREATE_CONNECTION = 0x200d;
export const LE_CREATE_CONNECTION_CANCEL = 0x200e;
export const LE_CONNECTION_UPDATE = 0x2013;
export const LE_READ_SUPPORTED_STATES = 0x201c;
export const LE_SET_DATA_LENGTH = 0x2022;
export const LE_READ_MAXIMUM_DATA_LENGTH = 0x202f;
export const LE_SET_DEFAULT_PHY = 0x2031;
export const LE_READ_NUMBER_OF_ADVERTISING_SETS = 0x203b;
export const LE_SET_EXTENDED_SCAN_PARAMETERS = 0x2041;
export const LE_SET_EXTENDED_SCAN_ENABLE = 0x2042;
export const LE_EXTENDED_CREATE_CONNECTION = 0x2043;

/** Event codes and LE subevents (Vol 4, Part E, §7.7). */
export const DISCONNECTION_COMPLETE = 0x05;
export const COMMAND_COMPLETE = 0x0e;
export const COMMAND_STATUS = 0x0f;
export const NUMBER_OF_COMPLETED_PACKETS = 0x13;
export const LE_META = 0x3e;
export const LE_CONNECTION_COMPLETE = 0x01;
export const LE_ADVERTISING_REPORT = 0x02;
export const LE_CONNECTION_UPDATE_COMPLETE = 0x03;
export const LE_EXTENDED_ADVERTISING_REPORT = 0x0d;

/** Error codes (Vol 1, Part F). */
export const SUCCESS = 0x00;
export const UNKNOWN_COMMAND = 0x01;
export const UNKNOWN_CONNECTION = 0x02;
export const CONNECTION_TIMEOUT = 0x08;
export const COMMAND_DISALLOWED = 0x0c;
export const LOCAL_HOST_TERMINATED = 0x16;

/** LE Read Local Supported Features: LE Data Packet Length Extension is bit 5, LE Extended Advertising bit 12. */
export const FEATURE_EXTENDED_ADVERTISING_BYTE = 1;
export const FEATURE_EXTENDED_ADVERTISING_BIT = 0x10;

/** L2CAP fixed channels (Vol 3, Part A, §2.1). */
export const CID_ATT = 0x0004;
export const CID_SMP = 0x0006;

/** Legacy advertising report event types. */
export const ADV_IND = 0x00;
export const ADV_SCAN_IND = 0x02;
export const ADV_NONCONN_IND = 0x03;
export const SCAN_RSP = 0x04;

/** Extended advertising report event type bits. */
export const EXT_CONNECTABLE = 0x01;
export const EXT_SCANNABLE = 0x02;
export const EXT_SCAN_RESPONSE = 0x08;
export const EXT_LEGACY = 0x10;
export const EXT_MORE_TO_COME = 0x20;

/** Advertising data of one extended report: 255 event bytes less subevent, count and the report's 24 fixed bytes. */
export const EXTENDED_REPORT_DATA_BYTES = 229;
export const LEGACY_DATA_BYTES = 31;
