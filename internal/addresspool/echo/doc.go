// Package echo asks hosts whether they are there, by ICMP. One socket for each address family serves the
// whole fleet: any number of requests may be under way at a time, and a host costs nothing between them.
//
//	Ping ──► request (cookie, number) ──► socket ──► host
//	  ▲                                     │
//	  └── waiting, by number ◄── reader ◄───┘
//
// Linux lets a process without any privilege have such sockets when its group is in the range of the sysctl
// net.ipv4.ping_group_range; otherwise it needs the capability NET_RAW.
package echo
